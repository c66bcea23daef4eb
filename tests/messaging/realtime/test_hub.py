"""The hub: what people hear on the devices that are connected to one server process."""

import asyncio
from asyncio import gather
from itertools import count

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.auth.sessions import end_session
from accounts.changes import publish_user_change
from accounts.models import Session, User
from chatproject.core.encryption import seal
from chatproject.core.realtime import ConversationEvent, publish_soon
from conversations import creation
from conversations.models import Conversation
from messaging.messages.events import message_created
from messaging.messages.outcome import stored_json
from messaging.messages.send import send_direct
from messaging.models import Message
from messaging.realtime import reconciler
from messaging.realtime.hub import Hub
from messaging.realtime.missed_changes import CHANGES_MOST
from tests.messaging import helpers
from tests.messaging.helpers import send_by_socket
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")

BEFORE_RECONCILIATION = reconciler.INTERVAL - 1
"""Seconds within which a busy machine has done what is done at once, and no reconciliation has helped."""
RECONCILED = reconciler.INTERVAL + reconciler.GRACE + 0.7
"""Seconds within which a reconciliation has found and repaired whatever was lost."""

append_unheard, remove, seat = map(sync_to_async, (helpers.append_unheard, helpers.remove, helpers.seat))
draft = sync_to_async(helpers.draft)
start_direct, create_group = map(sync_to_async, (creation.start_direct, creation.create_group))


async def say(by: User, conversation: Conversation, text: str = "Hi") -> None:
    await send_by_socket(by_id=by.pk, conversation_id=conversation.pk, text=text)


async def say_unheard(by: User, conversation: Conversation, *texts: str) -> list[ConversationEvent]:
    """Commit messages that nobody is told of; give what should have been told."""
    drafts = [await draft(by, conversation, text) for text in texts]
    outcomes = await append_unheard(*drafts)
    return [
        message_created(conversation.pk, outcome.epoch, stored_json(it, outcome))
        for it, outcome in zip(drafts, outcomes, strict=True)
    ]


@sync_to_async
@transaction.atomic
def announce(*people: User) -> None:
    publish_user_change(people=[user.pk for user in people])


async def test_a_message_is_heard_on_every_device_of_its_members_and_nowhere_else(
    conversation: Conversation, alice: User, bob: User, mallory: User
) -> None:
    hers, phone, laptop, strangers = [await Screen.of(user) for user in (alice, bob, bob, mallory)]
    await say(alice, conversation)
    await gather(hers.hears("Hi"), phone.hears("Hi"), laptop.hears("Hi"))
    await strangers.hears_nothing()


async def test_an_event_shows_the_message_its_conversation_and_its_version(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    said = await send_by_socket(by_id=alice.pk, conversation_id=conversation.pk, text="Hi")
    data = {"conversation_id": str(conversation.pk), "version": 1, "message": said.message}
    assert await screen.next() == {"type": "message.created", "data": data}


async def test_all_server_processes_hear_what_one_of_them_commits(
    conversation: Conversation, alice: User, bob: User
) -> None:
    here, there = await Screen.of(alice), await Screen.of(bob, hub=Hub())
    await gather(*(say(by, conversation, "Hi") for by in (alice, bob) * 20))
    await gather(here.hears(*["Hi"] * 40), there.hears(*["Hi"] * 40))


async def test_a_new_device_hears_what_is_said_from_then_on_once(
    conversation: Conversation, alice: User, bob: User
) -> None:
    before = await Screen.of(bob)
    await say(alice, conversation, "before")
    await before.hears("before")
    screen = await Screen.of(bob)
    await say(alice, conversation, "after")
    await screen.hears("after")
    await screen.hears_nothing()


async def test_devices_that_come_while_much_is_said_miss_nothing_from_then_on(
    conversation: Conversation, alice: User, bob: User
) -> None:
    numbers, all_are_here = count(), asyncio.Event()

    async def talk() -> None:
        while not all_are_here.is_set():
            await say(alice, conversation, str(next(numbers)))

    talking = asyncio.ensure_future(talk())
    screens = [await Screen.of(bob) for _ in range(8)]
    all_are_here.set()
    await talking
    await say(alice, conversation, str(last := next(numbers)))
    assert all(screen.is_open for screen in screens)
    for screen in screens:
        first = int((await screen.next())["data"]["message"]["text"])
        await screen.hears(*(str(n) for n in range(first + 1, last + 1)))


async def test_a_device_that_has_gone_hears_nothing_and_the_other_goes_on(
    conversation: Conversation, alice: User, bob: User
) -> None:
    phone, laptop = await Screen.of(bob), await Screen.of(bob)
    phone.leave()
    await say(alice, conversation)
    await laptop.hears("Hi")
    await phone.hears_nothing()


async def test_who_comes_back_after_their_last_device_has_gone_hears_again(
    conversation: Conversation, alice: User, bob: User
) -> None:
    for text in ("one", "two", "three"):
        screen = await Screen.of(bob)
        await say(alice, conversation, text)
        await screen.hears(text)
        screen.leave()


# Order, gaps and what is lost


@pytest.mark.parametrize("order", ["21", "312", "321", "1123", "3", "13", "2211"])
async def test_events_are_delivered_in_the_order_of_versions_each_once_however_they_come(
    order: str, conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    texts = sorted({*map(int, order)} | {*range(1, max(map(int, order)) + 1)})
    posts = await say_unheard(alice, conversation, *map(str, texts))
    for n in map(int, order):
        await publish_soon([posts[n - 1]])
    await screen.hears(*map(str, texts), within=BEFORE_RECONCILIATION)
    await screen.hears_nothing(during=0.1)


async def test_whatever_was_told_to_nobody_is_found_within_five_seconds(
    conversation: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    group = await create_group(by=carol, name="Garden")
    hers, his, ended, newcomer = [await Screen.of(user) for user in (alice, bob, carol, mallory)]
    await say_unheard(alice, conversation, "one", "two")
    await seat(mallory, group)
    await sync_to_async(Session.objects.filter(user=carol).update)(ended_at=timezone.now())
    await sync_to_async(User.objects.filter(pk__in=[carol.pk, mallory.pk]).update)(version=F("version") + 1)
    async with asyncio.timeout(RECONCILED):
        await hers.hears("one", "two")
        await his.hears("one", "two")
        assert await ended.ends() == (4503, "session_revoked")
        frame = await newcomer.next()
    assert (frame["type"], frame["data"]["id"]) == ("conversation.created", str(group.pk))
    await say(alice, conversation, "three")
    await his.hears("three")


async def test_a_message_that_was_changed_in_a_gap_is_told_as_it_is_now(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    posts = await say_unheard(alice, conversation, "one", "two", "three")
    await edit_unheard(conversation, 1, "uno")
    await publish_soon(posts[2:])
    frames = [await screen.next(within=BEFORE_RECONCILIATION) for _ in range(4)]
    seen = [
        (frame["type"], frame["data"].get("version"), frame["data"].get("message", {}).get("text")) for frame in frames
    ]
    assert ("message.created", 2, "two") in seen
    assert ("message.created", 3, "three") in seen
    assert [text for _, _, text in seen if text in {"one", "uno"}][-1] == "uno"


@sync_to_async
@transaction.atomic
def edit_unheard(conversation: Conversation, position: int, text: str) -> None:
    """Change what a message says, as the later command will; tell nobody."""
    version = Conversation.objects.select_for_update().get(pk=conversation.pk).version + 1
    Conversation.objects.filter(pk=conversation.pk).update(version=version)
    message = Message.objects.get(conversation=conversation, position=position)
    body = seal(text, field="body", row=message.pk, conversation=conversation.pk)
    Message.objects.filter(pk=message.pk).update(body=body, version=version, edited_at=timezone.now())


async def test_after_too_many_lost_events_a_device_is_told_to_fetch_for_itself_and_then_goes_on(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    posts = await say_unheard(alice, conversation, *map(str, range(CHANGES_MOST + 1)))
    await publish_soon(posts[-1:])
    assert await screen.next() == {"type": "resync", "data": {"conversation_id": str(conversation.pk)}}
    await say(alice, conversation, "now")
    await screen.hears("now")


# Who comes and goes


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_who_is_put_into_a_conversation_hears_of_it_as_they_see_it_and_then_what_is_said(
    kind: str, alice: User, bob: User
) -> None:
    hers, his = await Screen.of(alice), await Screen.of(bob)
    if kind == "direct":
        started, _ = await start_direct(by=alice, to=bob)
    else:
        started = await create_group(by=alice, name="Garden", participants=[bob])
    for screen, name in ((hers, "Bob"), (his, "Alice")):
        frame = await screen.next()
        assert (frame["type"], frame["data"]["id"]) == ("conversation.created", str(started.pk))
        assert frame["data"]["name"] == (name if kind == "direct" else "Garden")
        assert frame["data"]["me"]["unread_count"] == 0
    await say(alice, started)
    await gather(hers.hears("Hi"), his.hears("Hi"))


async def test_a_conversation_that_begins_with_a_message_loses_none_of_it(alice: User, bob: User) -> None:
    screen = await Screen.of(bob)
    await sync_to_async(send_direct)(by=alice, to=bob, text="Hi")
    first = await screen.next()
    assert first["type"] == "conversation.created"
    await screen.hears("Hi")


async def test_a_removed_member_hears_nothing_after_it_although_nobody_was_told(
    group: Conversation, alice: User, bob: User
) -> None:
    hers, his = await Screen.of(alice), await Screen.of(bob)
    await say(alice, group, "before")
    await gather(hers.hears("before"), his.hears("before"))
    await remove(bob, group)
    await say(alice, group, "after")
    await hers.hears_of_a_change()
    await hers.hears("after")
    assert await his.next() == {
        "type": "conversation.removed",
        "data": {"conversation_id": str(group.pk), "reason": "removed"},
    }
    await his.hears_nothing()


async def test_the_news_of_a_removal_shuts_the_door_before_it_is_told(
    group: Conversation, alice: User, bob: User
) -> None:
    hers, his = await Screen.of(alice), await Screen.of(bob)
    await remove(bob, group)
    await publish_soon([ConversationEvent(group.pk, 2, 1, b'{"type": "news"}')])
    await say(alice, group, "after")
    await hers.hears_of_a_change()
    await hers.hears("after")
    assert await his.next() == {
        "type": "conversation.removed",
        "data": {"conversation_id": str(group.pk), "reason": "removed"},
    }
    await his.hears_nothing()


async def test_a_removed_member_who_was_told_hears_nothing_more_and_the_rest_of_the_world_goes_on(
    group: Conversation, conversation: Conversation, alice: User, bob: User
) -> None:
    his = await Screen.of(bob)
    await remove(bob, group)
    await announce(bob)
    await gather(*(say(alice, group, "secret") for _ in range(20)))
    assert (await his.next())["type"] == "conversation.removed"
    await say(alice, conversation, "Hi")
    await his.hears("Hi")
    await his.hears_nothing()


async def test_a_newcomer_hears_what_comes_after_and_nothing_from_before(
    group: Conversation, alice: User, mallory: User
) -> None:
    screen = await Screen.of(mallory)
    await say_unheard(alice, group, "before")
    await seat(mallory, group)
    await announce(mallory)
    await say(alice, group, "after")
    first = await screen.next()
    assert first["type"] == "conversation.created"
    assert "before" not in str(first)
    if not first["data"]["last_message"]:
        await screen.hears("after")
    await screen.hears_nothing()


async def test_an_ended_session_closes_its_own_device_at_once_and_no_other(
    conversation: Conversation, alice: User, bob: User
) -> None:
    phone, laptop = await Screen.of(bob), await Screen.of(bob)
    session = await Session.objects.aget(pk=phone.session_id)
    await sync_to_async(end_session)(session=session)
    assert await phone.ends(within=BEFORE_RECONCILIATION) == (4503, "session_revoked")
    await say(alice, conversation)
    await laptop.hears("Hi")
    assert laptop.is_open


async def test_a_closed_account_closes_all_its_devices(bob: User) -> None:
    screens = [await Screen.of(bob) for _ in range(3)]
    await sync_to_async(User.objects.filter(pk=bob.pk).update)(is_active=False)
    await announce(bob)
    for screen in screens:
        assert await screen.ends(within=BEFORE_RECONCILIATION) == (4503, "session_revoked")


async def test_a_newcomer_does_not_hear_how_something_from_before_was_changed(
    group: Conversation, alice: User, mallory: User
) -> None:
    await say_unheard(alice, group, "before")
    await seat(mallory, group)
    screen = await Screen.of(mallory)
    await edit_unheard(group, 2, "secret")
    posts = await say_unheard(alice, group, "after")
    await publish_soon(posts)
    await screen.hears_of_a_change()
    await screen.hears("after")
    await screen.hears_nothing(during=0.1)
