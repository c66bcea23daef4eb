"""Receipts, and what is one's own, as the devices of one server process hear them."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Block, User
from chatproject.core.realtime import publish_soon
from conversations.contacts.profile import update_me
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.realtime import reconciler
from messaging.realtime.hub import Hub
from messaging.receipts import commands
from messaging.receipts.batcher import watermark_batcher
from messaging.receipts.events import Receipt, ReceiptChange, receipts_changed
from tests.messaging import helpers
from tests.messaging.network import Wire
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")

BEFORE_RECONCILIATION = reconciler.INTERVAL - 1
RECONCILED = reconciler.INTERVAL + reconciler.GRACE + 0.7
SHORT_INTERVAL = 1.0
fill, place = map(sync_to_async, (helpers.fill, helpers.place))
mark_read, mark_delivered = map(sync_to_async, (commands.mark_read, commands.mark_delivered))


async def hears(
    screen: Screen, user: User, delivered: int, read: int, *, within: float = BEFORE_RECONCILIATION
) -> None:
    """Wait for a receipt of one person, and nothing else before it."""
    frame = await screen.next(within=within)
    assert frame["type"] == "receipts", frame
    told = {"user_id": str(user.pk), "delivered_through": delivered, "read_through": read}
    assert frame["data"]["receipts"] == [told]


async def settings(screen: Screen, *, within: float = BEFORE_RECONCILIATION) -> dict[str, Any]:
    """Wait for what is someone's own, and nothing else before it."""
    frame = await screen.next(within=within)
    assert frame["type"] == "conversation.settings", frame
    me: dict[str, Any] = frame["data"]["me"]
    return me


@sync_to_async
def hide(user: User) -> None:
    update_me(by=user, settings={"read_receipts": False})


async def test_all_members_on_every_server_receive_a_receipt(
    group: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    hers, elsewhere, stranger = await Screen.of(alice), await Screen.of(carol, hub=Hub()), await Screen.of(mallory)
    await fill(group, alice, 3)
    watermark_batcher().add(group.pk, bob.pk, delivered=3)
    watermark_batcher().add(group.pk, bob.pk, read=2)
    for screen in (hers, elsewhere):
        await hears(screen, bob, 3, 2)
    await stranger.hears_nothing(during=0.1)


async def test_receipts_of_many_people_in_one_moment_are_one_event(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    screen = await Screen.of(alice)
    await fill(group, alice, 2)
    for user, through in ((bob, 2), (carol, 3)):
        watermark_batcher().add(group.pk, user.pk, delivered=through)
    frame = await screen.next()
    assert {each["user_id"]: each["delivered_through"] for each in frame["data"]["receipts"]} == {
        str(bob.pk): 2,
        str(carol.pk): 3,
    }
    assert frame["data"]["conversation_id"] == str(group.pk)
    await screen.hears_nothing()


async def test_other_devices_of_a_reader_receive_the_remaining_unread_count(
    group: Conversation, alice: User, bob: User
) -> None:
    await fill(group, alice, 4)
    phone, laptop, hers = [await Screen.of(user) for user in (bob, bob, alice)]
    await mark_read(by=bob, conversation_id=group.pk, through=3)
    for screen in (phone, laptop):
        await hears(screen, bob, 3, 3)
        me = await settings(screen)
        assert (me["unread_count"], me["read_through"], me["delivered_through"]) == (2, 3, 3)
    await hears(hers, bob, 3, 3)
    await hers.hears_nothing(during=0.1)


async def test_a_delivered_receipt_does_not_change_the_persons_own_settings(
    conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, alice, 2)
    his = await Screen.of(bob)
    await mark_delivered(by=bob, conversation_id=conversation.pk, through=2)
    await hears(his, bob, 2, 0)
    await his.hears_nothing()


async def test_many_reads_at_once_are_delivered_as_the_final_state(
    conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, alice, 30)
    his = await Screen.of(bob)
    await asyncio.gather(*(mark_read(by=bob, conversation_id=conversation.pk, through=n) for n in range(1, 31)))
    read = []
    async with asyncio.timeout(BEFORE_RECONCILIATION):
        while not read or read[-1] != 30:
            frame = await his.next()
            read += [frame["data"]["me"]["read_through"]] if "me" in frame["data"] else []
    await asyncio.sleep(0.3)
    read += [frame["data"]["me"]["read_through"] for frame in his.heard() if "me" in frame["data"]]
    assert read == sorted(read)
    assert read[-1] == 30


async def test_a_person_who_hides_read_receipts_neither_shows_nor_sees_them(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    await fill(group, alice, 3)
    hers, carols = await Screen.of(alice), await Screen.of(carol)
    await hide(bob)
    his = await Screen.of(bob)
    await mark_read(by=bob, conversation_id=group.pk, through=2)
    await hears(hers, bob, 2, 0)
    await hears(carols, bob, 2, 0)
    await mark_delivered(by=bob, conversation_id=group.pk, through=3)
    await mark_read(by=bob, conversation_id=group.pk, through=3)
    await hears(hers, bob, 3, 0)
    await hers.hears_nothing()
    his.heard()
    await mark_read(by=carol, conversation_id=group.pk, through=2)
    await hears(his, carol, 2, 0)
    await mark_read(by=carol, conversation_id=group.pk, through=1)
    await mark_delivered(by=carol, conversation_id=group.pk, through=3)
    await hears(his, carol, 3, 0)
    await mark_read(by=carol, conversation_id=group.pk, through=3)
    await his.hears_nothing()


async def test_a_setting_that_changes_while_a_device_is_connected_applies_from_then_on(
    conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, alice, 2)
    hers = await Screen.of(alice)
    await mark_read(by=bob, conversation_id=conversation.pk, through=1)
    await hears(hers, bob, 1, 1)
    await hide(alice)
    await asyncio.sleep(0.3)
    await mark_read(by=bob, conversation_id=conversation.pk, through=2)
    await hears(hers, bob, 2, 0)


async def test_after_a_block_only_the_readers_own_devices_receive_receipts(
    conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, alice, 2)
    await sync_to_async(Block.objects.create)(user=alice, blocked=bob)
    hers, his = await Screen.of(alice), await Screen.of(bob)
    await mark_read(by=bob, conversation_id=conversation.pk, through=2)
    assert (await settings(his))["unread_count"] == 0
    await hers.hears_nothing()


async def test_in_a_large_group_the_senders_of_the_messages_receive_receipts(
    large_group: Conversation, alice: User, bob: User, carol: User
) -> None:
    hers, his, carols = [await Screen.of(user) for user in (alice, bob, carol)]
    await fill(large_group, alice, 2)
    await mark_read(by=bob, conversation_id=large_group.pk, through=3)
    await hears(hers, bob, 3, 3)
    assert (await settings(his))["unread_count"] == 0
    await asyncio.gather(his.hears_nothing(), carols.hears_nothing())


async def test_a_removed_member_receives_no_later_receipts(group: Conversation, alice: User, bob: User) -> None:
    await fill(group, alice, 2)
    his, hers = await Screen.of(bob), await Screen.of(alice)
    await sync_to_async(helpers.remove)(bob, group)
    epoch = (await sync_to_async(Conversation.objects.get)(pk=group.pk)).epoch
    await publish_soon(receipts_changed([ReceiptChange(group.pk, epoch, Receipt(alice.pk, 3, 3, True), None)]))
    await asyncio.gather(his.hears_nothing(), hers.hears_nothing())


@pytest.mark.parametrize("count", [1, 7])
async def test_receipts_that_were_not_published_are_found_within_five_seconds(
    count: int,
    wire: Wire,
    group: Conversation,
    alice: User,
    bob: User,
    carol: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert RECONCILED < 5
    monkeypatch.setattr(reconciler, "INTERVAL", SHORT_INTERVAL)
    await fill(group, alice, 9)
    hers, his = await Screen.of(alice), await Screen.of(bob)
    await mark_delivered(by=carol, conversation_id=group.pk, through=9)
    await asyncio.gather(hears(hers, carol, 9, 0), hears(his, carol, 9, 0))
    wire.cut()
    for through in range(1, count + 1):
        await mark_read(by=bob, conversation_id=group.pk, through=through)
    wire.mend(heals=False)
    await hears(hers, bob, count, count, within=RECONCILED)
    frames = [await his.next(within=RECONCILED) for _ in range(2)]
    assert {frame["type"] for frame in frames} == {"receipts", "conversation.settings"}
    next_round = SHORT_INTERVAL + reconciler.GRACE + 0.7
    await asyncio.gather(hers.hears_nothing(during=next_round), his.hears_nothing(during=next_round))


async def test_lost_receipts_are_delivered_at_once_when_the_network_is_back(
    wire: Wire, large_group: Conversation, alice: User, bob: User, carol: User
) -> None:
    await fill(large_group, alice, 2)
    hers, carols = await Screen.of(alice), await Screen.of(carol)
    await hide(bob)
    wire.cut()
    await mark_read(by=bob, conversation_id=large_group.pk, through=3)
    wire.mend()
    await hears(hers, bob, 3, 0)
    await carols.hears_nothing()


async def test_a_person_who_changes_settings_and_joins_a_group_at_once_receives_both(
    conversation: Conversation, alice: User, bob: User, carol: User
) -> None:
    await fill(conversation, alice, 2)
    his = await Screen.of(bob)
    made, _ = await asyncio.gather(
        sync_to_async(create_group)(by=carol, name="Garden", participants=[bob]),
        mark_read(by=bob, conversation_id=conversation.pk, through=2),
    )
    kinds = {}
    async with asyncio.timeout(BEFORE_RECONCILIATION):
        while not kinds.keys() >= {"conversation.created", "conversation.settings"}:
            frame = await his.next()
            kinds[frame["type"]] = frame["data"]
    assert kinds["conversation.created"]["id"] == str(made.pk)
