"""The hub delivers events in order, and finds those that were lost."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.db.models import F
from django.utils import timezone

from accounts.models import Session, User
from chatproject.core.realtime import publish_soon
from conversations import creation
from conversations.models import Conversation
from messaging.realtime import reconciler
from messaging.realtime.missed_changes import CHANGES_MOST
from tests.messaging import helpers
from tests.messaging.realtime.unpublished import BEFORE_RECONCILIATION, append_unpublished, edit_unpublished, say
from tests.messaging.screen import Screen

pytestmark = pytest.mark.usefixtures("live")

RECONCILED = reconciler.INTERVAL + reconciler.GRACE + 0.7
"""Seconds within which a reconciliation has found and repaired whatever was lost."""

seat = sync_to_async(helpers.seat)
create_group = sync_to_async(creation.create_group)


@pytest.mark.parametrize("order", ["21", "312", "321", "1123", "3", "13", "2211"])
async def test_events_are_delivered_once_and_in_order_of_versions_however_they_arrive(
    order: str, conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    texts = sorted({*map(int, order)} | {*range(1, max(map(int, order)) + 1)})
    posts = await append_unpublished(alice, conversation, *map(str, texts))
    for n in map(int, order):
        await publish_soon([posts[n - 1]])
    await screen.hears(*map(str, texts), within=BEFORE_RECONCILIATION)
    await screen.hears_nothing(during=0.1)


async def test_whatever_was_not_published_is_found_within_five_seconds(
    conversation: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    group = await create_group(by=carol, name="Garden")
    hers, his, ended, newcomer = [await Screen.of(user) for user in (alice, bob, carol, mallory)]
    await append_unpublished(alice, conversation, "one", "two")
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


async def test_a_message_that_was_changed_in_a_gap_is_delivered_as_it_is_now(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    posts = await append_unpublished(alice, conversation, "one", "two", "three")
    await edit_unpublished(conversation, 1, "uno")
    await publish_soon(posts[2:])
    frames = [await screen.next(within=BEFORE_RECONCILIATION) for _ in range(4)]
    seen = [
        (frame["type"], frame["data"].get("version"), frame["data"].get("message", {}).get("text")) for frame in frames
    ]
    assert ("message.created", 2, "two") in seen
    assert ("message.created", 3, "three") in seen
    assert [text for _, _, text in seen if text in {"one", "uno"}][-1] == "uno"


async def test_after_too_many_lost_events_a_device_is_told_to_fetch_for_itself_and_then_goes_on(
    conversation: Conversation, alice: User, bob: User
) -> None:
    screen = await Screen.of(bob)
    posts = await append_unpublished(alice, conversation, *map(str, range(CHANGES_MOST + 1)))
    await publish_soon(posts[-1:])
    assert await screen.next() == {"type": "resync", "data": {"conversation_id": str(conversation.pk)}}
    await say(alice, conversation, "now")
    await screen.hears("now")
