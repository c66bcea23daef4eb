"""A new key is added to two real servers, one after the other, while people talk through both."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as known

from accounts.models import User
from chatproject.core.encryption.ring import KeyRing
from chatproject.core.encryption.sealing import key_id_of
from chatproject.core.ids import uuid7
from chatproject.embedded.application import manage_command
from chatproject.keys.registry import ids_of
from conversations.models import Conversation
from messaging.models import Message
from tests.chatproject.keys.conftest import Run
from tests.chatproject.keys.helpers import new_key
from tests.messaging.messages.test_former_fingerprints import store
from tests.support.client import Client
from tests.support.server import Server, environment

APPLICATION = "tests.chatproject.keys.short_times:application"
Start = Callable[..., Server]

pytestmark = pytest.mark.long


@pytest.fixture
def start(own_registry: Run) -> Iterator[Start]:
    """Start a server with these keys: `start(new, old)`; `kind` is that of the server."""
    with ExitStack() as started:

        def start(*keys: str, kind: str = "uvicorn") -> Server:
            with pytest.MonkeyPatch.context() as environ:
                environ.setenv("CHAT_KEYS", ",".join(keys))
                server = Server(kind, APPLICATION)
            started.callback(server.stop)
            return server

        yield start


def id_of(key: str) -> str:
    return ids_of(KeyRing([key]))[0]


class Talk:
    """Alice and what she has said, through any server."""

    def __init__(self, access: str, conversation: Conversation) -> None:
        self.said: dict[str, str] = {}
        self._access = access
        self._conversation = str(conversation.pk)

    async def say(self, server: Server, text: str) -> str:
        """Say something by REST, and something else by a socket; give the id of the first."""
        async with Client(server.url, access=self._access) as client, client.socket() as socket:
            id = str(uuid7())
            answer = await client.post("/messages", id=id, conversation_id=self._conversation, text=text)
            assert answer.status_code == 201
            other = await socket.say(self._conversation, f"{text}!")
        self.said |= {id: text, other["id"]: f"{text}!"}
        return id

    async def is_right_on(self, server: Server) -> None:
        """Require that a server shows everything and recognises every repeat, by REST and by socket."""
        async with Client(server.url, access=self._access) as client, client.socket() as socket:
            shown = (await client.get(f"/messages/conversation/{self._conversation}", limit=100)).json()["data"]
            assert {each["id"]: each["text"] for each in shown} == self.said
            for id, text in self.said.items():
                sent = {"id": id, "conversation_id": self._conversation, "text": text}
                assert (await client.post("/messages", **sent)).status_code == 200
                assert (await socket.ask("message.send", **sent))["data"]["text"] == text
                assert (await client.post("/messages", **{**sent, "text": "other"})).json()["code"] == "id_conflict"


async def test_a_new_key_is_added_to_two_servers_while_people_talk(
    start: Start,
    own_registry: Run,
    conversation: Conversation,
    alice: User,
    access: Callable[[User], str],
) -> None:
    old, new = known.CHAT_KEYS[0], new_key()
    talk = Talk(await sync_to_async(access)(alice), conversation)
    former = await sync_to_async(store)(alice, conversation, "from a former release")
    talk.said[str(former)] = "from a former release"

    async def talk_on(*servers: Server) -> set[str]:
        """Speak through every server, then listen to each; give the keys that have sealed what was said."""
        ids = [await talk.say(server, f"{len(talk.said)}") for server in servers]
        for server in servers:
            await talk.is_right_on(server)
        return {key async for key in keys_of(ids)}

    one, two = start(old).wait(), start(old).wait()
    assert await talk_on(one, two) == {id_of(old)}
    one.stop()
    one = start(new, old).wait()
    for _ in range(3):
        assert await talk_on(one, two) == {id_of(old)}
        await asyncio.sleep(1)
    two.stop()
    two = start(new, old).wait()
    async with asyncio.timeout(20):
        while id_of(old) in await talk_on(one, two):
            pass
    assert await talk_on(one, two) == {id_of(new)}
    assert own_registry("SELECT id FROM chatproject_encryptionkey WHERE state = 'current'") == [(id_of(new),)]
    await talk_on(one, two)


async def keys_of(ids: list[str]) -> Any:
    async for body in Message.objects.filter(pk__in=ids).values_list("body", flat=True):
        yield key_id_of(bytes(body or b"")).hex()


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_a_server_without_the_current_key_serves_nobody(
    kind: str, start: Start, own_registry: Run, conversation: Conversation
) -> None:
    own_registry("INSERT INTO chatproject_encryptionkey (id, state) VALUES ('0badcafe', 'current')")
    server = start(known.CHAT_KEYS[0], kind=kind)
    if kind == "uvicorn":
        assert server.process.wait(30) != 0
    else:
        server.wait()
        assert httpx.get(f"{server.url}/readyz").status_code == 500
    assert own_registry("SELECT server FROM chatproject_serverreport") == []


def test_the_job_worker_does_not_start_without_the_current_key(own_registry: Run) -> None:
    own_registry("INSERT INTO chatproject_encryptionkey (id, state) VALUES ('0badcafe', 'current')")
    worker = subprocess.run(
        manage_command("jobs"), env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert worker.returncode != 0
    assert "0badcafe" in worker.stderr


def test_daphne_reports_too(start: Start, own_registry: Run, conversation: Conversation) -> None:
    server = start(known.CHAT_KEYS[0], kind="daphne").wait()
    assert httpx.get(f"{server.url}/readyz").json()["keys"]
    assert len(own_registry("SELECT server FROM chatproject_serverreport")) == 1
