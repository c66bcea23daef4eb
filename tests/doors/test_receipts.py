"""Receipts through every door: what one device says of how far its person has come, and who learns of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from tests.doors.conftest import Browse
from tests.support.client import Client, Socket

App = Callable[[User], Awaitable[Client]]
Mark = Callable[[Client, Socket, str, int], Awaitable[Any]]


async def by_socket(client: Client, socket: Socket, conversation_id: str, through: int) -> None:
    await socket.send({"type": "read", "conversation_id": conversation_id, "through": through})


async def by_rest(client: Client, socket: Socket, conversation_id: str, through: int) -> None:
    answer = await client.post(f"/conversations/{conversation_id}/read", through=through)
    assert (answer.status_code, answer.json()["data"]) == (200, {"delivered_through": 2, "read_through": 2})


@pytest.mark.parametrize("mark", [by_socket, by_rest])
async def test_every_door_leads_to_the_senders_screen_and_to_ones_other_devices(
    mark: Mark, app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his, id = await app(alice), await app(bob), str(conversation.pk)
    async with hers.socket() as screen, his.socket() as phone, his.socket() as laptop:
        first = await screen.say(id, "one")
        await screen.say(id, "two")
        await mark(his, phone, id, 2)
        told = [{"user_id": str(bob.pk), "delivered_through": 2, "read_through": 2}]
        for each in (screen, phone, laptop):
            assert await each.next("receipts") == {"conversation_id": id, "receipts": told}
        for each in (phone, laptop):
            settled = await each.next("conversation.settings")
            assert (settled["conversation_id"], settled["last_position"]) == (id, 2)
            assert settled["me"]["unread_count"] == 0
        [status] = (await hers.get(f"/messages/{first['id']}/status")).json()["data"]
    assert status["user_id"] == str(bob.pk)
    assert status["delivered_at"] == status["read_at"] > first["created_at"]


async def test_a_page_without_a_script_reads_for_all(
    browse: Browse, app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    id = str(conversation.pk)
    hers, his = await app(alice), await app(bob)
    async with hers.socket() as screen, his.socket() as phone:
        await screen.say(id, "Are you there?")
        await (await browse(bob)).submit(f"/conversations/{id}", act="read")
        assert (await screen.next("receipts"))["receipts"][0]["read_through"] == 1
        assert (await phone.next("conversation.settings"))["me"]["unread_count"] == 0


async def test_delivered_is_told_and_is_no_reading(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his, id = await app(alice), await app(bob), str(conversation.pk)
    async with hers.socket() as screen, his.socket() as phone:
        for n in range(5):
            await screen.say(id, str(n))
            await phone.send({"type": "delivered", "ref": str(n), "conversation_id": id, "through": n + 1})
        reached = 0
        while reached < 5:
            [told] = (await screen.next("receipts"))["receipts"]
            assert told["delivered_through"] > reached
            reached = told["delivered_through"]
            assert told["read_through"] == 0
        assert await phone.silence("conversation.settings")
        assert await phone.silence("ack", during=0.1)
    answer = await his.post(f"/conversations/{id}/delivered", through=3)
    assert answer.json()["data"] == {"delivered_through": 5, "read_through": 0}


async def test_two_devices_that_read_at_once_are_told_the_same_in_the_end(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    hers, his, id = await app(alice), await app(bob), str(conversation.pk)
    async with hers.socket() as screen, his.socket() as phone, his.socket() as laptop:
        for n in range(10):
            await screen.say(id, str(n))
        await asyncio.gather(*(by_socket(his, each, id, n) for n in range(1, 11) for each in (phone, laptop)))
        for each in (phone, laptop):
            me: dict[str, Any] = {}
            while me.get("read_through") != 10:
                me = (await each.next("conversation.settings"))["me"]
            assert me["unread_count"] == 0
            assert await each.silence("conversation.settings")
