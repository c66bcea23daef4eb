"""Catching up costs the server little, however much was missed and however little is read of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import psutil
import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.server.websocket import CLOSE_TIMEOUT
from conversations.models import Conversation
from tests.doors.test_slow_sockets import Stalled
from tests.messaging.helpers import append_unheard, draft
from tests.support.client import Client
from tests.support.server import Server, running

WIDE = "\N{GRINNING FACE}" * 16_000
"""The longest text there is: 64 KB on the wire."""
MESSAGES = 1000
SOCKETS = 20
SPARED = 96 * 1024 * 1024
"""How much the process may grow while twenty devices ask for 64 MB each and read nothing."""


@pytest.fixture
def lone(committed: None) -> Iterator[Server]:
    """A server of its own, whose memory nobody else fills."""
    with running() as server:
        yield server


def fill_wide(conversation: Conversation, by: User, count: int = MESSAGES) -> None:
    for _ in range(count // 50):
        append_unheard(*(draft(by, conversation, WIDE) for _ in range(50)))


@pytest.mark.long
async def test_twenty_devices_that_read_nothing_of_what_they_missed_fill_no_memory(
    lone: Server, access: Callable[[User], str], alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(fill_wide)(conversation, alice)
    token = await sync_to_async(access)(bob)
    process = psutil.Process(lone.process.pid)
    before = most = process.memory_info().rss
    async with AsyncExitStack() as opened:
        devices = [Stalled(lone.url, token, query="?catch_up=1") for _ in range(SOCKETS)]
        for device in devices:
            await opened.enter_async_context(device)
        await devices[0].hears(b'"message.created"')
        for _ in range(100):
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.1)
    print(f"RSS {before / 2**20:.0f} MiB, at most {most / 2**20:.0f} MiB")
    assert most - before < SPARED


@pytest.mark.long
async def test_who_does_not_read_what_was_missed_is_closed_as_slow_and_the_next_device_has_its_turn(
    server: Server, access: Callable[[User], str], alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(fill_wide)(conversation, alice, 100)
    token = await sync_to_async(access)(bob)
    async with Stalled(server.url, token, query="?catch_up=1") as stuck, Client(server.url, access=token) as app:
        async with app.socket(query="?catch_up=1") as socket:
            await socket.next("caught_up", within=60)
            assert len(socket.seen("message.created")) == 100
        await asyncio.sleep(CLOSE_TIMEOUT + 1)
        assert await stuck.read_on(), "the connection is still there"
