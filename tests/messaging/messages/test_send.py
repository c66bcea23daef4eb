"""Sending messages: what is valid, whom it reaches, and reading them."""

from typing import Any

import pytest

from accounts.models import User
from chatproject.core.errors import Refused
from chatproject.core.ids import uuid7
from conversations.models import Conversation
from messaging.messages.send import send_direct, send_message
from messaging.models import Message
from messaging.receipts.commands import mark_read
from tests.messaging.helpers import fill, place, say

LONGEST = 16_000


@pytest.mark.parametrize(
    "text",
    ["x", "x" * LONGEST, f" {'x' * LONGEST}\n\n", "👩‍👩‍👧" * 2000, " Hi ", "e\u0301", "\u202eabc", "<b>"],
    ids=len,
)
def test_a_text_is_kept_as_it_was_written(text: str, conversation: Conversation, alice: User) -> None:
    assert say(alice, conversation, text)["text"] == text
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "status", "pointer"),
    [
        ({"text": ""}, 400, "/text"),
        ({"text": " \n\t\u3000"}, 400, "/text"),
        ({"text": "x" * (LONGEST + 1)}, 400, "/text"),
        ({"text": "a\0b"}, 400, "/text"),
        ({"text": "\ud83d"}, 400, "/text"),
        ({"text": "Hi", "media": [uuid7()]}, 422, "/media"),
        ({"text": "Hi", "kind": "image"}, 422, "/kind"),
        ({"text": "Hi", "kind": "notice"}, 422, "/kind"),
    ],
    ids=lambda it: None if isinstance(it, int | str) else ascii(it)[:30],
)
def test_an_invalid_message_is_refused_and_stores_nothing(
    fields: dict[str, Any], status: int, pointer: str, alice: User, bob: User
) -> None:
    with pytest.raises(Refused) as refused:
        send_direct(by=alice, to=bob, **fields)
    assert (refused.value.status, refused.value.pointer) == (status, pointer)
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()


def test_sending_to_a_person_starts_the_conversation_once(alice: User, bob: User) -> None:
    first, second = send_direct(by=alice, to=bob, text="Hi").message, send_direct(by=bob, to=alice, text="Hi").message
    assert first["conversation_id"] == second["conversation_id"]
    assert (first["position"], second["position"]) == (1, 2)


def test_nobody_sends_messages_to_themselves(alice: User) -> None:
    with pytest.raises(Refused) as refused:
        send_direct(by=alice, to=alice, text="Hi")
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("marked", "read"),
    [([2], 2), ([3, 1], 3), ([0], 0), ([2, 2], 2), ([99], 5), ([2**63 - 1], 5), ([1, 2, 4], 4)],
    ids=str,
)
def test_reading_moves_only_forward_and_not_past_the_end(
    marked: list[int], read: int, conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 5)
    for through in marked:
        told = mark_read(by=alice, conversation_id=conversation.pk, through=through)
    assert told == {"delivered_through": read, "read_through": read}
    assert place(alice, conversation).read_through == read
    assert place(bob, conversation).read_through == 5


def test_reading_implies_delivery_and_never_moves_it_back(conversation: Conversation, alice: User, bob: User) -> None:
    fill(conversation, bob, 5)
    conversation.participants.filter(user=alice).update(delivered_through=4)
    told = mark_read(by=alice, conversation_id=conversation.pk, through=2)
    assert told == {"delivered_through": 4, "read_through": 2}


def test_reading_changes_no_version_of_the_conversation(conversation: Conversation, alice: User, bob: User) -> None:
    say(bob, conversation)
    mark_read(by=alice, conversation_id=conversation.pk, through=1)
    conversation.refresh_from_db()
    assert conversation.version == 1


def test_a_stranger_reads_nothing(conversation: Conversation, alice: User, mallory: User) -> None:
    say(alice, conversation)
    with pytest.raises(Conversation.DoesNotExist):
        mark_read(by=mallory, conversation_id=conversation.pk, through=1)
    with pytest.raises(Conversation.DoesNotExist):
        send_message(by=mallory, conversation_id=conversation.pk, text="Hi")
