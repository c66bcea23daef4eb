"""The hub when a backup was restored beneath it: versions that were delivered once are given to other messages."""

import asyncio
from asyncio import gather
from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.changes import UserChanged
from accounts.models import User
from chatproject.core.generation import current_generation, known_generation, raise_generation
from chatproject.core.realtime import ConversationEvent, publish_soon
from chatproject.server.close_codes import CloseCode
from conversations.models import Conversation
from messaging.realtime import generation_watch, reconciler
from messaging.realtime.hub import Hub, hub
from messaging.receipts import commands
from tests.messaging import helpers
from tests.messaging.network import Wire
from tests.messaging.realtime.unpublished import BEFORE_RECONCILIATION, append_unpublished, say
from tests.messaging.screen import Screen
from tests.support.together import another_connection, until_blocked

pytestmark = pytest.mark.usefixtures("live")

fill, mark_read = sync_to_async(helpers.fill), sync_to_async(commands.mark_read)
RESTARTED = (CloseCode.RESTART, "unavailable")
Turn = Callable[..., Awaitable[tuple[int, int]]]


@pytest.fixture
def restore(restored: Callable[..., tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> Turn:
    monkeypatch.setattr(generation_watch, "INTERVAL", 0.05)
    return sync_to_async(restored)


@pytest.fixture
def often_reconciled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciler, "INTERVAL", 1.0)


async def test_every_device_of_every_process_is_closed_so_that_it_begins_anew(
    restore: Turn, conversation: Conversation, alice: User, bob: User
) -> None:
    elsewhere = Hub()
    screens = [await Screen.of(alice), await Screen.of(bob), await Screen.of(bob, hub=elsewhere)]
    former, generation = hub().generation, (await restore(conversation.pk, to=0))[1]
    assert await gather(*(screen.ends() for screen in screens)) == [RESTARTED] * 3
    assert former < hub().generation == elsewhere.generation == generation


async def test_messages_at_versions_that_were_delivered_before_are_delivered_live(
    restore: Turn, conversation: Conversation, alice: User, bob: User
) -> None:
    before = await Screen.of(bob)
    for number in range(5):
        await say(alice, conversation, f"before {number}")
    await before.hears(*(f"before {number}" for number in range(5)))
    await restore(conversation.pk, to=2)
    await before.ends()
    after = await Screen.of(bob)
    await say(alice, conversation, "after")
    event = await after.next(within=BEFORE_RECONCILIATION)
    assert (event["data"]["version"], event["data"]["message"]["text"]) == (3, "after")
    await say(alice, conversation, "and on")
    await after.hears("and on", within=BEFORE_RECONCILIATION)


@pytest.mark.usefixtures("often_reconciled")
async def test_what_was_lost_on_the_way_after_a_restore_is_found(
    restore: Turn, conversation: Conversation, alice: User, bob: User
) -> None:
    before = await Screen.of(bob)
    for number in range(5):
        await say(alice, conversation, str(number))
    await restore(conversation.pk, to=2)
    await before.ends()
    after = await Screen.of(bob)
    await append_unpublished(alice, conversation, "unheard")
    await after.hears("unheard")


@pytest.mark.usefixtures("often_reconciled")
async def test_a_receipt_behind_those_that_were_delivered_before_is_found_too(
    restore: Turn, wire: Wire, conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, alice, 5)
    before = await Screen.of(alice)
    await mark_read(by=bob, conversation_id=conversation.pk, through=5)
    assert (await before.next())["type"] == "receipts"
    await restore(conversation.pk, to=2)
    await before.ends()
    after = await Screen.of(alice)
    wire.cut()
    await fill(conversation, alice, 1)
    await mark_read(by=bob, conversation_id=conversation.pk, through=3)
    wire.mend(heals=False)
    async with asyncio.timeout(20):
        while (frame := await after.next())["type"] != "receipts":
            pass
    assert frame["data"]["receipts"] == [{"user_id": str(bob.pk), "delivered_through": 3, "read_through": 3}]


async def test_a_device_whose_session_the_backup_does_not_have_is_not_told_that_it_has_ended(
    restore: Turn, monkeypatch: pytest.MonkeyPatch, conversation: Conversation, bob: User
) -> None:
    screen = await Screen.of(bob)
    # Nobody looks at the generation now but who loads him because something has happened.
    monkeypatch.setattr(generation_watch, "INTERVAL", 60)
    await asyncio.sleep(0.1)
    await restore(conversation.pk, to=0)
    await bob.sessions.all().adelete()
    await publish_soon([UserChanged(bob.pk, 99)])
    assert await screen.ends() == RESTARTED


async def test_a_device_that_connects_while_a_restore_is_noticed_is_let_go_too(
    restore: Turn, conversation: Conversation, alice: User, bob: User
) -> None:
    await Screen.of(alice)
    with another_connection() as holder:
        # His first devices have come, and the hub waits for his sessions.
        holder.execute("LOCK TABLE accounts_session IN ACCESS EXCLUSIVE MODE")
        coming = [Screen(bob.pk, bob.pk, hub()) for _ in range(2)]
        attached = asyncio.ensure_future(gather(*(hub().attach(screen) for screen in coming)))
        await sync_to_async(until_blocked)()
        await restore(conversation.pk, to=0)
        assert await gather(*(screen.ends() for screen in coming)) == [RESTARTED] * 2
        await asyncio.wait_for(attached, 20)


async def test_an_event_from_before_the_restore_that_comes_late_holds_nothing_up(
    restore: Turn, conversation: Conversation, alice: User, bob: User
) -> None:
    before = await Screen.of(bob)
    for number in range(5):
        await say(alice, conversation, str(number))
    await restore(conversation.pk, to=2)
    await before.ends()
    after = await Screen.of(bob)
    epoch = (await Conversation.objects.aget(pk=conversation.pk)).epoch
    await publish_soon([ConversationEvent(conversation.pk, 6, epoch, b'{"type":"message.created","data":{}}')])
    await asyncio.sleep(0.3)
    await say(alice, conversation, "3"), await say(alice, conversation, "4")
    await say(alice, conversation, "5"), await say(alice, conversation, "6")
    await after.hears("3", "4", "5", "6")


async def test_the_process_knows_the_generation_without_a_query_and_asks_when_nobody_watches(
    restore: Turn, conversation: Conversation, alice: User
) -> None:
    await Screen.of(alice)
    # Django allows no query on the event loop.
    assert known_generation() == await sync_to_async(current_generation)()
    await hub().stop()
    raised = await sync_to_async(raise_generation)()
    assert await sync_to_async(known_generation)() == raised
