"""Several web processes behind one port."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import psutil
import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.models import Conversation
from tests.support.client import Client
from tests.support.server import Server, running

DEVICES = 16


@pytest.fixture
def workers(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of two processes, as `WEB_WORKERS=2` starts it."""
    monkeypatch.setitem(os.environ, "WEB_WORKERS", "2")
    with running() as server:
        yield server


def sockets_of_each(server: Server) -> list[int]:
    """How many connections each process of a server has."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    open_ones = [[each for each in one.net_connections("tcp") if each.status == "ESTABLISHED"] for one in family]
    return [len(each) for each in open_ones if each]


async def test_devices_of_two_processes_hear_the_same_each_once(
    workers: Server, alice: User, bob: User, conversation: Conversation, access: Callable[[User], str]
) -> None:
    his, hers = await sync_to_async(access)(bob), await sync_to_async(access)(alice)
    async with AsyncExitStack() as opened:
        app = await opened.enter_async_context(Client(workers.url, access=his))
        devices = [await opened.enter_async_context(app.socket()) for _ in range(DEVICES)]
        speaker = await opened.enter_async_context(Client(workers.url, access=hers))
        socket = await opened.enter_async_context(speaker.socket())
        # The kernel shares connections out as it likes: open some more until each process has one.
        while len(await asyncio.to_thread(sockets_of_each, workers)) < 2:
            devices.append(await opened.enter_async_context(app.socket()))
        for turn in range(50):
            await socket.say(str(conversation.pk), str(turn))
        for device in devices:
            heard = [(await device.next("message.created"))["message"]["text"] for _ in range(50)]
            assert heard == [str(turn) for turn in range(50)]
            assert not device.seen("message.created")
