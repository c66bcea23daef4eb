"""A server that is told to stop: it answers what is on its way, and sends its devices elsewhere one after the other."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress

import pytest
import websockets
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from messaging.models import Message
from tests.messaging.helpers import place, say
from tests.support.client import Client, Socket
from tests.support.server import Server, running

SPREAD = 1.5


@pytest.fixture
def leaving(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of its own, that will be stopped."""
    monkeypatch.setitem(os.environ, "DRAIN_SECONDS", str(SPREAD))
    with running() as server:
        yield server


async def test_devices_are_closed_with_1012_one_after_the_other(
    leaving: Server, alice: User, access: Callable[[User], str]
) -> None:
    token = await sync_to_async(access)(alice)
    async with AsyncExitStack() as opened:
        app = await opened.enter_async_context(Client(leaving.url, access=token))
        devices = [await opened.enter_async_context(app.socket()) for _ in range(20)]
        leaving.process.terminate()
        ends = await asyncio.gather(*map(end_of, devices))
        assert (await devices[0].next_frame("error"))["data"]["code"] == "unavailable"
    codes, times = zip(*ends, strict=True)
    assert set(codes) == {1012}
    assert SPREAD / 3 < max(times) - min(times) < 3
    assert await asyncio.to_thread(leaving.process.wait, 6) is not None


async def test_everything_acknowledged_by_a_server_that_stops_is_stored_and_nothing_it_stored_goes_unanswered(
    leaving: Server, alice: User, bob: User, conversation: Conversation, access: Callable[[User], str]
) -> None:
    token = await sync_to_async(access)(alice)
    async with Client(leaving.url, access=token) as app, app.socket() as socket:
        sent = await speak_until_closed(socket, str(conversation.pk), leaving)
        acknowledged = {frame["data"]["id"] for frame in socket.seen("ack")}
    stored = {str(id) async for id in Message.objects.values_list("id", flat=True)}
    assert acknowledged == stored
    assert acknowledged < sent


async def test_what_was_read_just_before_a_server_stops_is_stored(
    leaving: Server, alice: User, bob: User, conversation: Conversation, access: Callable[[User], str]
) -> None:
    await sync_to_async(say)(alice, conversation)
    token = await sync_to_async(access)(bob)
    async with Client(leaving.url, access=token) as app, app.socket() as socket:
        await socket.send({"type": "read", "conversation_id": str(conversation.pk), "through": 1})
        assert (await socket.ask("ping"))["type"] == "pong"
        leaving.process.terminate()
        await socket.closed()
    await asyncio.to_thread(leaving.process.wait, 6)
    assert (await sync_to_async(place)(bob, conversation)).read_through == 1


async def end_of(device: Socket) -> tuple[int, float]:
    return await device.closed(), time.monotonic()


async def speak_until_closed(socket: Socket, conversation_id: str, server: Server) -> set[str]:
    """Say one thing after the other without waiting, stop the server meanwhile, and give the ids of all that."""
    sent = set()
    with suppress(websockets.ConnectionClosed):
        for turn in range(100_000):
            sent.add(id := str(uuid7()))
            fields = {"id": id, "conversation_id": conversation_id, "text": "on and on"}
            await socket.send({"type": "message.send", "ref": str(turn), **fields})
            if turn == 200:
                server.process.terminate()
            await asyncio.sleep(0.001)
    await socket.closed()
    return sent
