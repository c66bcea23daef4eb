"""A server that things go wrong on, and its log: every line is JSON, and none names a person or says what was said."""

import os
import tempfile
from collections.abc import Iterator
from typing import IO, Any

import httpx
import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from uuid_utils.compat import uuid7

from accounts.auth.registration import register
from accounts.models import User
from conversations.creation import start_direct
from tests.support.client import Client
from tests.support.server import Server, running

SECRETS = {
    "username": "zaphod",
    "display_name": "Trillian",
    "password": "heart-of-gold-42",
    "email": "slartibartfast@magrathea.example",
    "text": "the answer is forty-two",
    "ticket": "babelfish",
    "host": "milliways.example",
    "address": "198.51.100.77",
}


@pytest.fixture(scope="module")
def log() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


@pytest.fixture(scope="module")
def _logged(django_db_setup: None, django_db_blocker: Any, log: IO[bytes]) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as environ, django_db_blocker.unblock():
        environ.setenv("EMAIL_URL", "dummymail:")
        with running(log=log) as server:
            yield server


@pytest.fixture
def logged(committed: None, _logged: Server) -> Server:
    """A server as one is run for others: its mail goes to people and not to its output."""
    return _logged


def everything_in(log: IO[bytes]) -> bytes:
    """Read the log from its beginning, and leave the place where the server goes on as it is."""
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0)


def of_account() -> dict[str, str]:
    return {name: SECRETS[name] for name in ("username", "display_name", "password", "email")}


async def go_wrong_by_rest(base: str) -> str:
    """Send what is refused in every way there is; give the access token."""
    headers = {"X-Forwarded-For": SECRETS["address"]}
    async with httpx.AsyncClient(base_url=f"{base}/api/v1", headers=headers) as rest:
        access: str = (await rest.post("/auth/register", json=of_account())).json()["data"]["access"]
        await rest.post("/auth/register", json=of_account())
        await rest.post("/auth/token", json={"username": SECRETS["username"], "password": SECRETS["text"]})
        await rest.post("/messages", content=f'{{"text": "{SECRETS["text"]}'.encode())
        for call in (rest.get, rest.post):
            signed_in = {"Authorization": f"Bearer {access}"}
            await call(f"/invite-links/{SECRETS['ticket']}/accept?q={SECRETS['text']}", headers=signed_in)
        await rest.get("/server", headers={"Host": SECRETS["host"]})
        await rest.get("/users/me", headers={"Authorization": f"Bearer {access[:-3]}aaa"})
        await rest.post(f"{base}/accounts/login/", data={"login": SECRETS["username"], "password": SECRETS["password"]})
    return access


@sync_to_async
def end_the_lanes_connection() -> None:
    """Take the connection away from under a lane; one of the server that all tests share finds another as easily."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query LIKE '%%WITH i AS MATERIALIZED%%'"
        )
        assert cursor.fetchone()[0]


async def go_wrong_by_socket(base: str, access: str, conversation_id: str) -> None:
    """Talk while the database goes away, and send frames that are none."""
    app = Client(base, access=access)
    async with app.socket() as socket:
        await socket.say(conversation_id, SECRETS["text"])
        await end_the_lanes_connection()
        await socket.say(conversation_id, SECRETS["text"])
        await socket.send(f'{{"type": "{SECRETS["text"]}')
        await socket.send({"type": "message.send", "id": str(uuid7()), "text": 5, "to": {"username": "zaphod"}})
        await socket.ask("ping")
    async with app.bare_socket(headers={}, query=f"?ticket={SECRETS['ticket']}") as stranger:
        assert await stranger.closed() == 4501
    await app.__aexit__(None, None, None)


@sync_to_async
def conversation_of(username: str) -> str:
    other = register(username="marvin", password="sigh-sigh-sigh")
    return str(start_direct(by=other, to=User.objects.get(username=username))[0].pk)


async def test_a_server_without_rate_limits_says_so_once(logged: Server, log: IO[bytes]) -> None:
    said = [orjson.loads(line) for line in everything_in(log).splitlines()]
    assert ["CHAT_LIMITS" in line["message"] for line in said if line["logger"] == "chatproject.asgi"] == [True]


async def test_a_server_on_which_things_go_wrong_names_nobody(logged: Server, log: IO[bytes]) -> None:
    access = await go_wrong_by_rest(logged.url)
    await go_wrong_by_socket(logged.url, access, await conversation_of(SECRETS["username"]))
    logged.stop()
    text = everything_in(log).decode()
    lines = [orjson.loads(line) for line in text.splitlines()]
    of_the_lane = [line for line in lines if line["logger"] == "messaging.messages.group_commit"]
    assert of_the_lane, text
    assert not any("socket_id" in line for line in of_the_lane), "many speak in one lane"
    assert all(line.keys() >= {"time", "level", "logger", "message"} for line in lines)
    for secret in (*SECRETS.values(), access, access.split(".")[1]):
        assert secret not in text
