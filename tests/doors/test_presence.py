"""Who is here: heard on sockets of two servers, and asked by REST, by those who may know it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import Session, User
from accounts.people.relationships import make_contacts
from conversations import groups
from conversations.contacts import blocks, profile
from conversations.models import Conversation
from messaging.presence.socket_limit import SOCKETS_PER_PERSON
from tests.support.client import Client, Socket
from tests.support.server import Server

Device = Callable[..., Awaitable[Client]]

AT_ONCE = 3.0
"""Seconds, on a busy machine, in which what is told at once has come; looking again and again takes twenty."""

block, unblock, update_me, remove = map(
    sync_to_async, (blocks.block, blocks.unblock, profile.update_me, groups.remove_member)
)


@pytest.fixture
async def device(server: Server, other_server: Server, access: Callable[[User], str]) -> AsyncIterator[Device]:
    """Sign a person in on one more device, on this server or the other."""
    async with AsyncExitStack() as opened:

        async def sign_in(user: User, *, elsewhere: bool = False) -> Client:
            url = (other_server if elsewhere else server).url
            return await opened.enter_async_context(Client(url, access=await sync_to_async(access)(user)))

        yield sign_in


async def watch(socket: Socket, *users: User) -> dict[str, Any]:
    answer = await socket.ask("presence.watch", user_ids=[str(user.pk) for user in users])
    assert answer["type"] == "ack", answer
    return answer["data"]


@pytest.mark.parametrize("elsewhere", [pytest.param(False, marks=pytest.mark.long), True])
async def test_who_comes_is_told_at_once_and_who_goes_after_five_seconds(
    elsewhere: bool, device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    phone = await device(bob, elsewhere=elsewhere)
    async with (await device(alice)).socket() as screen:
        assert (await watch(screen, bob))["online"] == []
        async with phone.socket():
            came = await screen.next("presence", within=AT_ONCE)
            assert (came["user_id"], came["online"]) == (str(bob.pk), True)
        left = time.monotonic()
        gone = await screen.next("presence")
        assert 4.9 < time.monotonic() - left < 5 + AT_ONCE
        assert (gone["user_id"], gone["online"]) == (str(bob.pk), False)
        assert (
            gone["last_seen"]
            == (await (await device(alice)).get(f"/users/{bob.pk}/presence")).json()["data"]["last_seen"]
        )


async def test_who_comes_back_within_five_seconds_was_never_gone(
    device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    phone, laptop = await device(bob), await device(bob, elsewhere=True)
    async with (await device(alice)).socket() as screen:
        async with phone.socket():
            assert (await watch(screen, bob))["online"] == [str(bob.pk)]
        async with laptop.socket():
            assert await screen.silence("presence", during=7)


async def test_who_has_another_device_open_is_here(device: Device, alice: User, bob: User, conversation) -> None:
    phone, laptop = await device(bob), await device(bob, elsewhere=True)
    async with (await device(alice)).socket() as screen, laptop.socket():
        await watch(screen, bob)
        async with phone.socket():
            pass
        assert await screen.silence("presence", during=6.5)


async def test_the_answer_tells_who_is_here_and_when_the_others_were(
    device: Device, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    async with (await device(alice)).socket() as screen, (await device(bob, elsewhere=True)).socket():
        seen = await watch(screen, bob, carol)
    assert seen["online"] == [str(bob.pk)]
    assert seen["last_seen"].keys() == {str(bob.pk), str(carol.pk)}
    assert seen["last_seen"][str(carol.pk)] is None


async def test_a_new_list_replaces_the_last(device: Device, alice: User, bob: User, carol: User, group) -> None:
    async with (await device(alice)).socket() as screen:
        await watch(screen, bob)
        await watch(screen, carol)
        async with (await device(bob)).socket(), (await device(carol)).socket():
            assert (await screen.next("presence"))["user_id"] == str(carol.pk)
            assert await screen.silence("presence", during=1)


# Who may see it


def become_contacts(alice: User, mallory: User) -> None:
    make_contacts(alice.pk, mallory.pk)


@pytest.mark.parametrize("door", ["socket", "rest"])
async def test_a_stranger_sees_nothing_and_a_contact_does(
    door: str, device: Device, alice: User, mallory: User
) -> None:
    app, target = await device(mallory), alice

    async def sees() -> bool:
        if door == "rest":
            return (await app.get(f"/users/{target.pk}/presence")).status_code == 200
        async with app.socket() as socket:
            return str(target.pk) in (await watch(socket, target))["last_seen"]

    async with (await device(alice)).socket():
        assert not await sees()
        await sync_to_async(become_contacts)(alice, mallory)
        assert await sees()
        await update_me(by=alice, settings={"last_seen": False})
        assert not await sees()
        await update_me(by=alice, settings={"last_seen": True})
        assert await sees()
        await block(by=alice, other=mallory)
        assert not await sees()


@pytest.mark.parametrize("who_blocks", ["alice", "bob"])
async def test_a_block_hides_either_from_the_other(
    who_blocks: str, device: Device, alice: User, bob: User, group: Conversation
) -> None:
    blocker, blocked = (alice, bob) if who_blocks == "alice" else (bob, alice)
    await block(by=blocker, other=blocked)
    answer = await (await device(alice)).get(f"/users/{bob.pk}/presence")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with (await device(alice)).socket() as screen:
        assert await watch(screen, bob) == {"online": [], "last_seen": {}}


async def hide(alice: User, bob: User, group: Conversation) -> None:
    await update_me(by=bob, settings={"last_seen": False})


async def shut_out(alice: User, bob: User, group: Conversation) -> None:
    await block(by=bob, other=alice)


async def put_out(alice: User, bob: User, group: Conversation) -> None:
    await remove(by=alice, conversation_id=group.pk, user_id=bob.pk)


@pytest.mark.parametrize("part", [hide, shut_out, put_out])
async def test_who_may_not_be_seen_any_more_is_not_told_of(
    part: Any, device: Device, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    async with (await device(alice)).socket() as screen:
        await watch(screen, bob, carol)
        await part(alice, bob, group)
        async with (await device(bob)).socket(), (await device(carol)).socket():
            assert (await screen.next("presence"))["user_id"] == str(carol.pk)
            assert await screen.silence("presence", during=1)


async def test_nobody_has_a_presence_who_is_not_there(device: Device, alice: User) -> None:
    app = await device(alice)
    assert (await app.get(f"/users/{uuid7()}/presence")).json()["code"] == "not_found"
    assert (await app.get("/users/someone/presence")).json()["code"] == "invalid"
    async with app.socket() as screen:
        unknown = await screen.ask("presence.watch", user_ids=[str(uuid7())])
        assert unknown["data"] == {"online": [], "last_seen": {}}


async def test_rest_tells_whether_someone_is_here_and_when_they_were(
    device: Device, alice: User, bob: User, conversation: Conversation
) -> None:
    app = await device(alice)
    assert (await app.get(f"/users/{bob.pk}/presence")).json()["data"] == {"online": False, "last_seen": None}
    async with (await device(bob, elsewhere=True)).socket():
        seen = (await app.get(f"/users/{bob.pk}/presence")).json()["data"]
        assert seen["online"]
    before = await Session.objects.aget(user=bob)
    await asyncio.sleep(1)
    after = (await app.get(f"/users/{bob.pk}/presence")).json()["data"]
    assert not after["online"]
    assert after["last_seen"] >= seen["last_seen"][:19]
    assert (await Session.objects.aget(user=bob)).last_seen_at >= before.last_seen_at


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/user_ids"),
        ({"user_ids": None}, "/user_ids"),
        ({"user_ids": "x"}, "/user_ids"),
        ({"user_ids": [5]}, "/user_ids/0"),
        ({"user_ids": ["x"]}, "/user_ids/0"),
        ({"user_ids": [str(uuid7()) for _ in range(201)]}, "/user_ids"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_list_that_is_not_right_is_invalid_and_the_last_one_stays(
    device: Device, alice: User, bob: User, conversation: Conversation, fields: dict[str, Any], pointer: str
) -> None:
    async with (await device(alice)).socket() as screen:
        await watch(screen, bob)
        answer = await screen.ask("presence.watch", **fields)
        assert (answer["data"]["code"], answer["data"]["errors"][0]["pointer"]) == ("invalid", pointer)
        async with (await device(bob)).socket():
            assert (await screen.next("presence"))["online"]


# Sockets of one person


async def test_the_51st_socket_is_refused_whichever_server_it_comes_to(device: Device, alice: User) -> None:
    here, there = await device(alice), await device(alice, elsewhere=True)
    async with AsyncExitStack() as opened:
        for n in range(SOCKETS_PER_PERSON):
            await opened.enter_async_context((here if n % 2 else there).socket())
        for client in (here, there):
            async with client.bare_socket(headers=client.headers) as socket:
                assert (await socket.next("error"))["code"] == "rate_limited"
                assert await socket.closed() == 4029
    async with here.socket() as socket:
        assert (await socket.ask("ping"))["type"] == "pong"


async def test_of_sixty_that_come_at_once_fifty_are_let_in(device: Device, alice: User) -> None:
    clients = [await device(alice), await device(alice, elsewhere=True)]
    async with AsyncExitStack() as opened:

        async def come(n: int) -> str:
            client = clients[n % 2]
            socket = await opened.enter_async_context(client.bare_socket(headers=client.headers))
            return await socket.first()

        answers = await asyncio.gather(*(come(n) for n in range(60)))
        assert sorted(answers) == ["connected"] * SOCKETS_PER_PERSON + ["error"] * 10
