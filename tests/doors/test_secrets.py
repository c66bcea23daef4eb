"""What nobody may find: texts, passwords and tokens, in a dump, in the files below it, or in a log."""

import asyncio
import base64
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from psycopg.conninfo import make_conninfo

from accounts.models import User
from chatproject.embedded.data_folder import DataFolder
from chatproject.embedded.postgres import bin_folder
from conversations.models import Conversation
from tests.support.browser import PASSWORD, Browser
from tests.support.client import Client
from tests.support.server import Server, running
from tests.support.statements import logged_statements

TEXT = "Meet me by the old lighthouse at nine"


@pytest.fixture(scope="module")
def log() -> Iterator[IO[bytes]]:
    """Everything that the server says."""
    with tempfile.TemporaryFile() as file:
        yield file


@pytest.fixture(scope="module")
def _talkative_server(log: IO[bytes], django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), running(log=log) as server:
        yield server


@pytest.fixture
def talkative_server(committed: None, _talkative_server: Server) -> Server:
    """A server of its own whose every word is kept."""
    return _talkative_server


async def live_a_day(server: Server, alice: User, conversation: Conversation) -> list[str]:
    """Sign in and say the same thing through every door, rightly and wrongly; give all that must stay secret."""
    alice.set_password(PASSWORD)
    await sync_to_async(alice.save)()
    async with Client(server.url) as nobody, Browser(server.url) as browser:
        await nobody.post("/auth/token", username="alice", password=TEXT)
        pair = (await nobody.post("/auth/token", username="alice", password=PASSWORD)).json()["data"]
        await browser.sign_in("alice")
        await browser.submit(f"/conversations/{conversation.pk}", text=TEXT)
    async with Client(server.url, access=pair["access"]) as client, client.socket() as socket:
        said = await socket.say(str(conversation.pk), TEXT)
        await client.post("/messages", conversation_id=str(conversation.pk), text=TEXT)
        await client.post("/messages", id=said["id"], conversation_id=str(conversation.pk), text=TEXT + "!")
        await client.post("/messages", conversation_id=5, text=[TEXT])
        await client.request("POST", "/messages", content=TEXT.encode(), headers={"Content-Type": "application/json"})
        await client.post("/auth/token/refresh", refresh=pair["refresh"] + "x")
        await socket.ask("message.send", conversation_id=TEXT, text=TEXT)
        await socket.ask("message.send", to={"username": TEXT}, text=TEXT)
        await socket.send(TEXT)
        await socket.next("error")
    return [TEXT, PASSWORD, pair["access"], pair["refresh"], browser.http.cookies["sessionid"]]


async def talk_nonsense(server: Server) -> None:
    """Say what is no HTTP, so that the server has something to complain about."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"{TEXT} {PASSWORD}\r\n\r\n".encode())
    await reader.read()
    writer.close()
    await writer.wait_closed()


def disguises(secret: str) -> list[bytes]:
    """A secret as it may stand in a file: as it is, in hexadecimal, and in base64 at any offset."""
    plain = secret.encode()
    shifted = [base64.b64encode(b"\0" * n + plain)[4 : -4 or None] for n in range(3)]
    return [plain, plain.hex().encode(), quote(secret).encode(), *shifted]


def shows(content: bytes, secret: str) -> bool:
    return any(disguise in content for disguise in disguises(secret))


def dump() -> bytes:
    """The tests' database as pg_dump writes it down."""
    database = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
    return subprocess.run([bin_folder() / "pg_dump", "--dbname", database], check=True, capture_output=True).stdout


def files(since: float) -> Iterator[bytes]:
    """What PostgreSQL has written into its files since a moment, its write-ahead log included."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        (oid,) = cursor.fetchone()
    data = DataFolder.of(os.environ).path / "postgres" / "data"
    for place in (data / "base" / str(oid), data / "pg_wal"):
        yield from (path.read_bytes() for path in place.rglob("*") if path.is_file() and path.stat().st_mtime >= since)


async def test_a_dump_of_the_database_holds_no_text_no_password_and_nothing_that_signs_in(
    talkative_server: Server, alice: User, conversation: Conversation
) -> None:
    secrets = await live_a_day(talkative_server, alice, conversation)
    content = await sync_to_async(dump)()
    assert b"alice" in content
    assert str(conversation.pk).encode() in content
    assert [secret for secret in secrets if shows(content, secret)] == []


@pytest.mark.alone
async def test_the_database_s_files_hold_no_text(
    talkative_server: Server, alice: User, conversation: Conversation
) -> None:
    began = time.time()
    text, password, *_ = await live_a_day(talkative_server, alice, conversation)
    contents = await sync_to_async(lambda: list(files(began)))()
    assert any(b"alice" in content for content in contents)
    assert not any(secret.encode() in content for content in contents for secret in (text, password))


@pytest.mark.alone
async def test_no_log_holds_a_text_a_password_or_a_token(
    talkative_server: Server, log: IO[bytes], alice: User, conversation: Conversation
) -> None:
    with logged_statements(connection.settings_dict["NAME"]) as statements:
        secrets = await live_a_day(talkative_server, alice, conversation)
        await talk_nonsense(talkative_server)
        asked = statements.text().encode()
    talkative_server.stop()
    log.seek(0)
    said = log.read()
    assert b"Invalid HTTP request" in said
    assert [secret for secret in secrets if shows(said, secret)] == []
    assert b"INSERT INTO messaging_message" in asked
    # The cookie is a key of a row, so PostgreSQL must be told it.
    assert [secret for secret in secrets[:-1] if shows(asked, secret)] == []
