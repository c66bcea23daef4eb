"""Unread counts: which messages count, and up to how many."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from messaging.models import Message
from messaging.receipts.commands import mark_read
from messaging.sync.inbox import show_conversation
from tests.messaging.helpers import change_place, fill, say, seat
from tests.messaging.sync.conftest import NOW


def unread(by: User, conversation: Conversation) -> int:
    return int(show_conversation(by=by, conversation_id=conversation.pk)["me"]["unread_count"])


@pytest.mark.parametrize(("said", "shown"), [(0, 0), (1, 1), (99, 99), (100, 100), (101, 100), (150, 100)])
def test_unread_is_exact_to_99_and_100_means_that_or_more(
    said: int, shown: int, conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, said)
    assert unread(alice, conversation) == shown
    assert unread(bob, conversation) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "notice"},
        {"deleted_at": NOW},
        {"created_at": NOW - timedelta(days=91)},
    ],
    ids=["a notice", "deleted", "past its time"],
)
def test_notices_and_deleted_or_expired_messages_are_not_unread(
    fields: dict[str, Any], conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 3)
    Message.objects.filter(position=2).update(**fields)
    assert unread(alice, conversation) == 2


def test_someones_own_messages_are_never_unread(conversation: Conversation, alice: User, bob: User) -> None:
    say(bob, conversation)
    say(alice, conversation)
    say(bob, conversation)
    assert unread(alice, conversation) == 2


def test_reading_lowers_the_count_to_the_messages_after_the_watermark(
    conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 5)
    mark_read(by=alice, conversation_id=conversation.pk, through=3)
    assert unread(alice, conversation) == 2
    mark_read(by=alice, conversation_id=conversation.pk, through=5)
    assert unread(alice, conversation) == 0


def test_nothing_from_before_someone_joined_is_unread_or_shown(group: Conversation, alice: User, mallory: User) -> None:
    say(alice, group, "before")
    seat(mallory, group)
    change_place(mallory, group, read_through=0)
    shown = show_conversation(by=mallory, conversation_id=group.pk)
    assert (shown["me"]["unread_count"], shown["last_message"]) == (0, None)
    assert say(alice, group, "after") == show_conversation(by=mallory, conversation_id=group.pk)["last_message"]
    assert unread(mallory, group) == 1
