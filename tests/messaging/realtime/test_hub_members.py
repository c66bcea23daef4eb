"""The hub delivers to whoever is a member now, by a session that has not ended."""

import asyncio
from asyncio import gather
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from accounts.auth.sessions import end_session
from accounts.changes import publish_user_change
from accounts.models import Session, User
from chatproject.core.realtime import ConversationEvent, publish_soon
from conversations import creation
from conversations.models import Conversation
from messaging.messages.send import send_direct
from messaging.realtime import people_loader
from messaging.realtime.introductions import introduce
from tests.messaging import helpers
from tests.messaging.realtime.unpublished import BEFORE_RECONCILIATION, append_unpublished, edit_unpublished, say
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")

remove, seat = map(sync_to_async, (helpers.remove, helpers.seat))
start_direct, create_group = map(sync_to_async, (creation.start_direct, creation.create_group))


@sync_to_async
@transaction.atomic
def announce(*people: User) -> None:
    publish_user_change(people=[user.pk for user in people])


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_a_member_who_is_added_receives_the_conversation_as_they_see_it_and_then_its_messages(
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


async def test_a_removed_member_receives_nothing_more_although_the_removal_was_not_published(
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


async def test_who_is_removed_again_before_they_are_introduced_receives_nothing(
    monkeypatch: pytest.MonkeyPatch, group: Conversation, alice: User, mallory: User
) -> None:
    hers, theirs = await Screen.of(alice), await Screen.of(mallory)
    await seat(mallory, group)
    await say(alice, group, "seated")
    await hers.hears_of_a_change()
    await hers.hears("seated")
    now = await Conversation.objects.aget(pk=group.pk)
    event = ConversationEvent(group.pk, now.version + 1, now.epoch, b'{"type":"message.created","data":{"message":{}}}')
    publishing = []

    async def introduce_too_late(*about: Any) -> Any:
        await remove(mallory, group)
        introduced = await introduce(*about)
        # It arrives as soon as the loader gives way.
        publishing.append(asyncio.ensure_future(publish_soon([event])))
        return introduced

    monkeypatch.setattr(people_loader, "introduce", introduce_too_late)
    await announce(mallory)
    await theirs.hears_nothing(during=1)
    await gather(*publishing)
    assert len(publishing) == 1


async def test_the_event_of_a_removal_ends_delivery_before_the_member_is_told(
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


async def test_a_removed_member_receives_nothing_more_of_the_group_but_still_of_other_conversations(
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


async def test_a_new_member_receives_later_messages_and_no_earlier_ones(
    group: Conversation, alice: User, mallory: User
) -> None:
    screen = await Screen.of(mallory)
    await append_unpublished(alice, group, "before")
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


async def test_a_new_member_does_not_receive_changes_of_earlier_messages(
    group: Conversation, alice: User, mallory: User
) -> None:
    await append_unpublished(alice, group, "before")
    await seat(mallory, group)
    screen = await Screen.of(mallory)
    await edit_unpublished(group, 2, "secret")
    posts = await append_unpublished(alice, group, "after")
    await publish_soon(posts)
    await screen.hears_of_a_change()
    await screen.hears("after")
    await screen.hears_nothing(during=0.1)
