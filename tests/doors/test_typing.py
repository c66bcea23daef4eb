"""Typing: who hears that someone writes, and when it ends."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.contacts import blocks
from conversations.models import Conversation
from tests.support.client import Client, Socket
from tests.support.server import Server, running

Device = Callable[..., Awaitable[Client]]
block, unblock = map(sync_to_async, (blocks.block, blocks.unblock))


@pytest.fixture
async def device(server: Server, other_server: Server, access: Callable[[User], str]) -> AsyncIterator[Device]:
    """Sign a person in on one more device, on this server or the other."""
    async with AsyncExitStack() as opened:

        async def sign_in(user: User, *, elsewhere: bool = False) -> Client:
            url = (other_server if elsewhere else server).url
            return await opened.enter_async_context(Client(url, access=await sync_to_async(access)(user)))

        yield sign_in


async def types(socket: Socket, conversation: Conversation, state: str = "start") -> None:
    await socket.send({"type": "typing", "conversation_id": str(conversation.pk), "state": state})


async def error_of(socket: Socket, conversation: Conversation, state: str = "start") -> Any:
    answer = await socket.ask("typing", conversation_id=str(conversation.pk), state=state)
    return answer["data"]["code"]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_the_others_hear_that_someone_types_and_stops(
    elsewhere: bool, device: Device, alice: User, bob: User, carol: User, mallory: User, group: Conversation
) -> None:
    async with (
        (await device(alice)).socket() as typist,
        (await device(alice)).socket() as hers,
        (await device(bob, elsewhere=elsewhere)).socket() as bobs,
        (await device(carol)).socket() as carols,
        (await device(mallory)).socket() as strangers,
    ):
        for state in ("start", "stop"):
            await types(typist, group, state)
            heard = {"conversation_id": str(group.pk), "user_id": str(alice.pk), "state": state}
            assert await bobs.next("typing") == heard
            assert await carols.next("typing") == heard
        for other in (typist, hers, strangers):
            assert await other.silence("typing", during=0.1)


async def test_it_ends_by_itself_after_six_seconds_of_silence(
    device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await device(alice)).socket() as typist, (await device(bob, elsewhere=True)).socket() as screen:
        await types(typist, conversation)
        assert (await screen.next("typing"))["state"] == "start"
        began = time.monotonic()
        assert (await screen.next("typing"))["state"] == "stop"
        assert 5.5 < time.monotonic() - began < 9


@pytest.mark.long
async def test_who_goes_on_typing_is_told_once(
    device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await device(alice)).socket() as typist, (await device(bob)).socket() as screen:
        await types(typist, conversation)
        assert (await screen.next("typing"))["state"] == "start"
        for _ in range(16):
            await types(typist, conversation)
            assert await screen.silence("typing", during=0.5)
        await types(typist, conversation, "stop")
        assert (await screen.next("typing"))["state"] == "stop"


async def test_a_stop_without_a_start_says_nothing(device: Device, alice: User, bob: User, conversation) -> None:
    async with (await device(alice)).socket() as typist, (await device(bob)).socket() as screen:
        await types(typist, conversation, "stop")
        assert await screen.silence("typing", during=0.5)


async def test_what_is_said_ends_it(device: Device, alice: User, bob: User, conversation: Conversation) -> None:
    async with (await device(alice)).socket() as typist, (await device(bob)).socket() as screen:
        await types(typist, conversation)
        assert (await screen.next("typing"))["state"] == "start"
        await typist.say(str(conversation.pk), "Hi")
        assert (await screen.next("typing", within=3))["state"] == "stop"


async def test_a_socket_that_goes_types_no_more(
    device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await device(bob)).socket() as screen:
        async with (await device(alice)).socket() as typist:
            await types(typist, conversation)
            assert (await screen.next("typing"))["state"] == "start"
        assert (await screen.next("typing", within=3))["state"] == "stop"


@pytest.mark.long
async def test_a_killed_server_leaves_nobody_typing(
    device: Device, access: Callable[[User], str], alice: User, bob: User, conversation: Conversation
) -> None:
    token = await sync_to_async(access)(alice)
    with running() as doomed:
        async with (
            (await device(bob)).socket() as screen,
            Client(doomed.url, access=token) as client,
            client.socket() as typist,
        ):
            await types(typist, conversation)
            assert (await screen.next("typing"))["state"] == "start"
            await asyncio.to_thread(doomed.kill)
            assert (await screen.next("typing", within=9))["state"] == "stop"


async def test_who_is_barred_does_not_type_and_hears_no_typing(
    device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await device(alice)).socket() as alices, (await device(bob)).socket() as bobs:
        await block(by=alice, other=bob)
        await asyncio.sleep(0.5)
        assert await error_of(alices, conversation) == "blocked"
        # Nobody tells the blocked one; but that she does not hear him is certain at once.
        await types(bobs, conversation)
        assert await alices.silence("typing", during=0.7)
    async with (await device(bob)).socket() as bobs:
        assert await error_of(bobs, conversation) == "blocked"
    await unblock(by=alice, other_id=bob.pk)
    async with (await device(alice)).socket() as alices, (await device(bob)).socket() as bobs:
        await types(bobs, conversation)
        assert (await alices.next("typing"))["state"] == "start"


@pytest.mark.parametrize("state", [None, 5, "", "begin"])
async def test_a_state_that_is_none_is_invalid(state: Any, device: Device, alice: User, conversation) -> None:
    async with (await device(alice)).socket() as typist:
        answer = await typist.ask("typing", conversation_id=str(conversation.pk), state=state)
        assert (answer["data"]["code"], answer["data"]["errors"][0]["pointer"]) == ("invalid", "/state")


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_one_may_type_in_a_conversation_that_has_only_just_begun(app, alice: User, bob: User, kind: str) -> None:
    mine = await app(alice)
    new = {"to": {"username": "bob"}} if kind == "direct" else {"name": "Garden", "participants": [{"username": "bob"}]}
    async with mine.socket() as socket, (await app(bob)).socket() as theirs:
        id = (await mine.post("/conversations", kind=kind, **new)).json()["data"]["id"]
        await socket.send({"type": "conversation.open", "conversation_id": id})
        await socket.send({"type": "typing", "conversation_id": id, "state": "start"})
        await socket.ask("ping")
        assert socket.seen("error") == []
        assert (await theirs.next("typing"))["conversation_id"] == id
