"""What the append checks and changes besides the message: the message replied to, and the sender's watermarks."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Refused, Unprocessable
from chatproject.core.ids import uuid7
from conversations.models import Conversation
from messaging.models import Message
from tests.messaging.helpers import change_place, place, remove, say, seat

# Replies


def test_a_reply_has_the_id_of_the_message_replied_to(conversation: Conversation, alice: User, bob: User) -> None:
    question = say(alice, conversation, "Tea?")
    assert say(bob, conversation, "Yes", reply_to_id=UUID(question["id"]))["reply_to_id"] == question["id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"deleted_at": timezone.now()},
        {"kind": "notice"},
        {"created_at": timezone.now() - timedelta(days=91)},
        {"conversation": uuid7()},
    ],
    ids=["deleted", "a notice", "past its time", "elsewhere"],
)
def test_a_reply_to_a_notice_or_a_missing_message_is_refused(
    fields: dict[str, Any], conversation: Conversation, alice: User
) -> None:
    question = say(alice, conversation)
    Message.objects.update(**fields)
    with pytest.raises(Unprocessable) as refused:
        say(alice, conversation, reply_to_id=UUID(question["id"]))
    assert (refused.value.status, refused.value.pointer) == (422, "/reply_to_id")
    assert Message.objects.count() == 1


def test_nobody_replies_to_messages_from_before_they_joined(group: Conversation, alice: User, mallory: User) -> None:
    before = say(alice, group)
    seat(mallory, group)
    after = say(alice, group)
    for id in (UUID(before["id"]), uuid7()):
        with pytest.raises(Unprocessable):
            say(mallory, group, reply_to_id=id)
    assert say(mallory, group, reply_to_id=UUID(after["id"]))["position"] == after["position"] + 1


# The writer's own marks


def marks(user: User, conversation: Conversation) -> tuple[int, int]:
    it = place(user, conversation)
    return it.delivered_through, it.read_through


@pytest.mark.parametrize(
    ("before", "delivered", "read", "after"),
    [
        pytest.param("", 0, 0, (1, 1), id="the first words"),
        pytest.param("b", 0, 0, (0, 0), id="something unheard lies between"),
        pytest.param("b", 1, 0, (2, 0), id="something unread lies between"),
        pytest.param("b", 1, 1, (2, 2), id="all was read"),
        pytest.param("bb", 2, 1, (3, 1), id="the last was not read"),
        pytest.param("aba", 1, 1, (1, 1), id="own words behind unread ones"),
        pytest.param("aa", 2, 2, (3, 3), id="on and on"),
    ],
)
def test_sending_moves_ones_own_watermarks_if_no_message_of_others_is_between(
    before: str, delivered: int, read: int, after: tuple[int, int], conversation: Conversation, alice: User, bob: User
) -> None:
    for who in before:
        say({"a": alice, "b": bob}[who], conversation)
    change_place(alice, conversation, delivered_through=delivered, read_through=read)
    say(alice, conversation)
    assert marks(alice, conversation) == after


def test_sending_leaves_the_watermarks_of_others(group: Conversation, alice: User, bob: User) -> None:
    say(alice, group)
    assert marks(bob, group) == (0, 0)


def test_other_changes_do_not_stop_ones_own_watermarks(group: Conversation, alice: User, bob: User) -> None:
    say(alice, group)
    remove(bob, group)
    last = say(alice, group)["position"]
    assert marks(alice, group) == (last, last)


def test_a_repeat_and_a_refusal_move_no_watermark(conversation: Conversation, alice: User, bob: User) -> None:
    first = say(alice, conversation)
    say(bob, conversation)
    say(alice, conversation, id=UUID(first["id"]))
    with pytest.raises(Refused):
        say(alice, conversation, reply_to_id=uuid7())
    assert (marks(alice, conversation), marks(bob, conversation)) == ((1, 1), (0, 0))
