"""A direct conversation that begins with a message, where Redis brings no word of it."""

import asyncio
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from messaging.messages import send
from messaging.messages.outcome import SendResult
from messaging.receipts import commands
from tests.messaging.network import Wire
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")


@sync_to_async
def send_direct(by: User, to: User, text: str) -> SendResult:
    return send.send_direct(by=by, to=to, text=text)


@sync_to_async
def read(by: User, said: SendResult) -> None:
    commands.mark_read(by=by, conversation_id=UUID(said.message["conversation_id"]), through=said.message["position"])


async def test_lost_events_are_delivered_as_the_same_events(wire: Wire, alice: User, bob: User) -> None:
    screens = [await Screen.of(user) for user in (alice, bob)]
    wire.cut()
    for text in ("one", "two", "three"):
        await send_direct(alice, bob, text)
    wire.mend()
    for screen in screens:
        frames = [await screen.next() for _ in range(4)]
        assert [frame["type"] for frame in frames] == ["conversation.created", *["message.created"] * 3]
        assert [frame["data"]["version"] for frame in frames] == [0, 1, 2, 3]
        assert frames[0]["data"]["last_message"] is None
    await asyncio.gather(*(screen.hears_nothing(during=0.2) for screen in screens))


async def test_messages_that_were_read_meanwhile_are_delivered_as_read(wire: Wire, alice: User, bob: User) -> None:
    screen = await Screen.of(bob)
    wire.cut()
    await read(bob, await send_direct(alice, bob, "one"))
    wire.mend()
    opened = (await screen.next())["data"]
    assert (opened["me"]["read_through"], opened["me"]["unread_count"]) == (1, 0)
    await screen.hears("one")


async def test_a_conversation_with_too_many_lost_messages_is_left_to_the_device(
    wire: Wire, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.realtime.missed_changes.CHANGES_MOST", 2)
    screen = await Screen.of(bob)
    wire.cut()
    for text in ("one", "two", "three"):
        await send_direct(alice, bob, text)
    wire.mend()
    assert [(await screen.next())["type"] for _ in range(2)] == ["conversation.created", "resync"]
    await send_direct(alice, bob, "four")
    await screen.hears("four")
