"""Servers die, and there are several of them: what was acknowledged is there, once, and heard in order."""

import asyncio
from asyncio import Semaphore
from collections.abc import Callable, Iterator

import pytest
import websockets
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from messaging.sync.history import history
from tests.support.client import Client, Socket
from tests.support.server import Server, running

Access = Callable[[User], str]


@pytest.fixture
def mortal(committed: None) -> Iterator[Server]:
    """A server of our own, to be killed."""
    with running() as server:
        yield server


async def app_on(server: Server, access: Access, user: User) -> Client:
    return Client(server.url, access=await sync_to_async(access)(user))


async def say_all(
    socket: Socket, conversation: Conversation, texts: dict[str, str], *, under_way: Semaphore | None = None
) -> None:
    """Send messages without waiting for answers; with `under_way`, no more at once than it has room for."""
    for id, text in texts.items():
        if under_way:
            await under_way.acquire()
        frame = {"type": "message.send", "ref": id, "id": id, "conversation_id": str(conversation.pk), "text": text}
        await socket.send(frame)


async def killed_after(acks: int, server: Server, socket: Socket, under_way: Semaphore) -> dict[str, int]:
    """Kill the server at a number of acks; give what had been acknowledged when the line broke."""
    positions: dict[str, int] = {}
    try:
        while True:
            answer = await socket.next_frame("ack")
            positions[answer["ref"]] = answer["data"]["position"]
            under_way.release()
            if len(positions) == acks:
                server.kill()
    except websockets.ConnectionClosed:
        return positions


async def test_a_killed_server_loses_and_doubles_nothing(
    mortal: Server, server: Server, access: Access, alice: User, conversation: Conversation
) -> None:
    texts = {str(uuid7()): f"line {n}" for n in range(600)}
    async with (await app_on(mortal, access, alice)).socket() as socket:
        # Else a quick server might have said everything before its killer hears of the hundredth.
        under_way = Semaphore(200)
        speaking = asyncio.ensure_future(say_all(socket, conversation, texts, under_way=under_way))
        positions = await killed_after(100, mortal, socket, under_way)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
    assert 100 <= len(positions) < 600
    async with (await app_on(server, access, alice)).socket() as socket:
        await say_all(socket, conversation, texts)
        again = {id: (await socket.next_frame("ack", ref=id))["data"]["position"] for id in texts}
    assert again.items() >= positions.items()
    assert sorted(again.values()) == list(range(1, 601))
    assert await sync_to_async(everything)(alice, conversation) == [
        texts[id] for id in sorted(again, key=again.__getitem__)
    ]


def everything(by: User, conversation: Conversation) -> list[str]:
    """All that a person finds in a conversation, page by page."""
    found, after = [], 0
    while after is not None:
        page = history(by=by, conversation_id=conversation.pk, limit=100, after=after)
        found += [message["text"] for message in page.items]
        after = page.next
    return found


async def test_what_is_said_on_one_server_is_heard_on_the_other_in_order(
    server: Server, other_server: Server, access: Access, alice: User, bob: User, conversation: Conversation
) -> None:
    here, there = await app_on(server, access, alice), await app_on(other_server, access, bob)
    async with here.socket() as alices, there.socket() as bobs:
        await asyncio.gather(chatter(alices, conversation), chatter(bobs, conversation))
        heard = [[await screen.next("message.created") for _ in range(200)] for screen in (alices, bobs)]
    assert heard[0] == heard[1]
    assert [each["version"] for each in heard[0]] == list(range(1, 201))


async def chatter(socket: Socket, conversation: Conversation) -> None:
    for n in range(100):
        await socket.say(str(conversation.pk), f"line {n}")


async def test_an_id_sent_on_two_servers_at_once_is_one_message(
    server: Server, other_server: Server, access: Access, alice: User, conversation: Conversation
) -> None:
    texts = {str(uuid7()): f"line {n}" for n in range(100)}
    here, there = await app_on(server, access, alice), await app_on(other_server, access, alice)
    async with here.socket() as one, there.socket() as two:
        await asyncio.gather(say_all(one, conversation, texts), say_all(two, conversation, texts))
        answers = [[(await socket.next_frame("ack", ref=id))["data"] for id in texts] for socket in (one, two)]
    assert answers[0] == answers[1]
    assert sorted(await sync_to_async(everything)(alice, conversation)) == sorted(texts.values())
