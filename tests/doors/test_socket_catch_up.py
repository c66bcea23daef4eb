"""`catch_up`, for simple devices: what was missed comes by the socket."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation, Participant
from messaging.socket.catch_up import MISSED_MOST
from tests.doors.test_slow_sockets import LONG, Stalled
from tests.messaging.helpers import change_place, fill, say
from tests.support.client import Client, Socket
from tests.support.server import Server

App = Callable[[User], Awaitable[Client]]


async def caught_up(socket: Socket) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Wait for the end of the catching up; give the messages before it, and how it ended."""
    end = await socket.next("caught_up")
    return [frame["data"]["message"] for frame in socket.seen("message.created")], end


async def test_what_was_missed_comes_oldest_first_and_live_events_go_on_from_there(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(fill)(conversation, alice, 3)
    async with (await app(bob)).socket(query="?catch_up=1") as socket:
        messages, end = await caught_up(socket)
        assert [message["text"] for message in messages] == ["1", "2", "3"]
        assert end == {"more": False, "versions": {str(conversation.pk): 3}}
        await sync_to_async(say)(alice, conversation, "live")
        await socket.next_frame("message.created")
        live = [await socket.next("message.created") for _ in range(3)][-1]
    assert (live["version"], live["message"]["text"]) == (4, "live")


async def test_a_connect_frame_may_ask_for_it(
    server: Server, access: Callable[[User], str], alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(fill)(conversation, alice, 1)
    token = await sync_to_async(access)(bob)
    async with Client(server.url) as client, client.bare_socket(headers={}) as socket:
        await socket.send({"type": "connect", "token": token, "catch_up": True})
        messages, _ = await caught_up(socket)
    assert [message["text"] for message in messages] == ["1"]


async def test_nothing_comes_that_is_delivered_already_or_lies_before_the_hearer(
    app: App, alice: User, bob: User, carol: User, conversation: Conversation, group: Conversation
) -> None:
    await sync_to_async(fill)(conversation, alice, 4)
    await sync_to_async(change_place)(bob, conversation, delivered_through=2)
    await sync_to_async(say)(alice, group, "before")
    await sync_to_async(hide_the_past)(bob, group)
    await sync_to_async(say)(alice, group, "after")
    async with (await app(bob)).socket(query="?catch_up=1") as socket:
        messages, end = await caught_up(socket)
    assert {message["text"] for message in messages} == {"3", "4", "after"}
    assert end["versions"].keys() == {str(conversation.pk), str(group.pk)}


async def test_beyond_a_thousand_the_rest_is_named_and_left_to_the_device(
    app: App, alice: User, bob: User, carol: User, conversation: Conversation
) -> None:
    await sync_to_async(fill)(conversation, alice, 10)
    later = await sync_to_async(create_group)(by=alice, name="Busy", participants=[bob])
    await sync_to_async(fill)(later, alice, MISSED_MOST - 5)
    async with (await app(bob)).socket(query="?catch_up=1") as socket:
        messages, end = await caught_up(socket)
        named = [frame["data"]["conversation_id"] for frame in socket.seen("resync")]
    assert len(messages) == MISSED_MOST
    assert named == [str(conversation.pk)]
    assert end["more"]
    assert end["versions"].keys() == {str(later.pk)}


async def test_what_is_said_while_someone_catches_up_comes_behind_it_and_none_is_lost(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(fill)(conversation, alice, 500)
    async with (await app(alice)).socket() as speaker:
        for turn in range(200):
            said = {"conversation_id": str(conversation.pk), "text": f"while {turn}", "ref": str(turn)}
            await speaker.send({"type": "message.send", **said})
        async with (await app(bob)).socket(query="?catch_up=1") as socket:
            messages, end = await caught_up(socket)
            at = end["versions"][str(conversation.pk)]
            assert [message["position"] for message in messages][:at] == [*range(1, at + 1)]
            versions = [at]
            while versions[-1] < 700:
                heard = (await socket.next("message.created"))["version"]
                versions += [heard] if heard > at else []
    assert versions == [*range(at, 701)]


@pytest.mark.parametrize("query", ["", "?catch_up=0", "?catch_up="])
async def test_nobody_catches_up_unasked(
    app: App, alice: User, bob: User, conversation: Conversation, query: str
) -> None:
    await sync_to_async(fill)(conversation, alice, 1)
    async with (await app(bob)).socket(query=query) as socket:
        assert await socket.silence("message.created")


def hide_the_past(user: User, conversation: Conversation) -> None:
    end = Conversation.objects.get(pk=conversation.pk).last_position
    Participant.objects.filter(user=user, conversation=conversation).update(visible_from=end)


async def test_a_device_that_is_lost_while_it_catches_up_is_forgotten(
    server: Server, access: Callable[[User], str], alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(say_long)(alice, conversation)
    before = await sockets_of(server)
    async with Stalled(server.url, await sync_to_async(access)(bob), query="?catch_up=1") as device:
        await asyncio.sleep(0.5)
        assert await sockets_of(server) == before + 1
        device.hang_up()
        await until_sockets(server, before)


def say_long(by: User, conversation: Conversation) -> None:
    for _ in range(100):
        say(by, conversation, LONG)


async def until_sockets(server: Server, count: float) -> None:
    async with asyncio.timeout(20):
        while True:
            if await sockets_of(server) == count:
                return
            await asyncio.sleep(0.1)


async def sockets_of(server: Server) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{server.url}/metrics")).text
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith("parley_sockets ")))
