"""What a message costs: one statement and one commit for PostgreSQL, and no thread for whoever hears it."""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from tests.support.client import Client, Socket
from tests.support.server import Server, running
from tests.support.statements import StatementLog, logged_statements, transactions_so_far

App = Callable[[User], Awaitable[Client]]

REPORT = "INSERT INTO chatproject_serverreport"
NOW_AND_THEN = (
    "BEGIN",
    "COMMIT",
    # the audit, of versions and of receipts
    "SELECT x.id, x.version FROM unnest(",
    "SELECT s.conversation_id, s.user_id, min(s.after)",
    # whether a backup was restored
    "SELECT number FROM chatproject_generation",
    # which sessions were used
    "WITH s AS MATERIALIZED (SELECT id FROM accounts_session",
)
"""What servers ask every few seconds, whatever is said."""


@pytest.fixture
def log(server: Server) -> Iterator[StatementLog]:
    """PostgreSQL's log with every statement in it."""
    with logged_statements(connection.settings_dict["NAME"]) as opened:
        if not opened.file.exists():
            pytest.skip("this PostgreSQL is not ours, so its log is elsewhere")
        yield opened


def crowd(count: int) -> list[User]:
    return User.objects.bulk_create([User(username=f"member{n}") for n in range(count)])


async def converse(speaker: Socket, screen: Socket, group: Conversation, count: int) -> None:
    """Say things one by one, each when the one before has been heard."""
    for n in range(count):
        await speaker.say(str(group.pk), f"line {n}")
        await screen.next("message.created")


@pytest.mark.alone
@pytest.mark.parametrize("size", [3, 200])
async def test_a_message_costs_one_statement_and_one_commit(
    log: StatementLog, app: App, alice: User, bob: User, size: int
) -> None:
    members = [bob, *await sync_to_async(crowd)(size - 2)]
    group = await sync_to_async(create_group)(by=alice, name="Garden", participants=members)
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        await converse(speaker, screen, group, 2)
        log.forget()
        before = transactions_so_far(os.environ["DATABASE_URL"])
        await converse(speaker, screen, group, 20)
        commits = transactions_so_far(os.environ["DATABASE_URL"]) - before
        statements = log.statements()
    # Which sessions were used, and which keys are known, is written every few seconds.
    assert commits - sum(each.sql.startswith((NOW_AND_THEN[-1], REPORT)) for each in statements) == 20
    appending = {each.backend for each in statements if "INSERT INTO messaging_message" in each.sql}
    asked = [each.sql for each in statements if each.backend in appending]
    assert len(asked) == 20
    assert all(sql.startswith("WITH i AS MATERIALIZED") for sql in asked)
    reporting = {each.backend for each in statements if each.sql.startswith(REPORT)}
    beside = [each.sql for each in statements if each.backend not in appending | reporting]
    # An empty one is a pool that looks whether its connection lives.
    assert [sql for sql in beside if sql and not sql.startswith(NOW_AND_THEN)] == []


@pytest.fixture(scope="module")
def _counting_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock(), running(app="tests.support.hops:application") as server:
        yield server


@pytest.fixture
def counting_server(committed: None, _counting_server: Server) -> Server:
    """A server that counts what it hands to threads."""
    return _counting_server


async def hops(server: Server) -> int:
    async with httpx.AsyncClient(base_url=server.url) as client:
        return int((await client.get("/hops")).text)


@pytest.mark.parametrize("speaks_on", ["the same server", "another server"])
async def test_a_delivered_frame_needs_no_thread(
    counting_server: Server,
    app: App,
    access: Callable[[User], str],
    alice: User,
    bob: User,
    group: Conversation,
    speaks_on: str,
) -> None:
    here = Client(counting_server.url, access=await sync_to_async(access)(bob))
    speaks = Client(counting_server.url, access=await sync_to_async(access)(alice))
    if speaks_on == "another server":
        speaks = await app(alice)
    async with AsyncExitStack() as opened:
        screens = [await opened.enter_async_context(here.socket()) for _ in range(20)]
        speaker = await opened.enter_async_context(speaks.socket())
        before = await hops(counting_server)
        for n in range(50):
            await speaker.send({"type": "message.send", "conversation_id": str(group.pk), "text": f"line {n}"})
        heard = [await screen.next("message.created") for screen in screens for _ in range(50)]
        assert len(heard) == 1000
        # What a server does every so often, whatever is said, may fall into this time.
        assert await hops(counting_server) - before < 10


async def test_the_count_of_threads_counts(counting_server: Server) -> None:
    before = await hops(counting_server)
    async with httpx.AsyncClient(base_url=counting_server.url) as client:
        await client.get("/api/v1/server")
    assert await hops(counting_server) > before
