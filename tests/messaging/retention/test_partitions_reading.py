"""Messages can be read for exactly 90 days, although their partition stays longer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Unprocessable
from conversations.models import Conversation
from messaging.messages.json import MessageJSON
from messaging.models import Message
from messaging.sync.history import get_message, history
from messaging.sync.inbox import list_conversations, show_conversation
from tests.messaging.helpers import say
from tests.support.server import Server

DAYS = timedelta(days=90)
A_MOMENT = timedelta(seconds=5)
"""As near to the edge as a busy machine can be trusted to look in time."""


def age(message: MessageJSON, by: timedelta) -> None:
    """Set a message back in time."""
    Message.objects.filter(pk=message["id"]).update(created_at=timezone.now() - by)


@pytest.fixture
def nearly_gone(alice: User, bob: User, conversation: Conversation) -> MessageJSON:
    """What alice said to bob, to be read for a moment still."""
    said = say(alice, conversation, "long ago")
    age(said, DAYS - A_MOMENT)
    return said


def shown_by_history(bob: User, message: MessageJSON) -> bool:
    return message["id"] in [one["id"] for one in history(by=bob, conversation_id=message["conversation_id"]).items]


def shown_around_it(bob: User, message: MessageJSON) -> bool:
    page = history(by=bob, conversation_id=message["conversation_id"], around=message["position"])
    return bool(page.items)


def shown_alone(bob: User, message: MessageJSON) -> bool:
    try:
        return get_message(by=bob, message_id=message["id"])["text"] == "long ago"
    except Message.DoesNotExist:
        return False


def shown_in_the_inbox(bob: User, message: MessageJSON) -> bool:
    [conversation] = list_conversations(by=bob).items
    return conversation["last_message"] is not None


def counted_as_unread(bob: User, message: MessageJSON) -> bool:
    return bool(show_conversation(by=bob, conversation_id=message["conversation_id"])["me"]["unread_count"])


def answered(bob: User, message: MessageJSON) -> bool:
    try:
        say(bob, Conversation.objects.get(), reply_to_id=UUID(message["id"]))
    except Unprocessable:
        return False
    return True


@pytest.mark.parametrize(
    "shown", [shown_by_history, shown_around_it, shown_alone, shown_in_the_inbox, counted_as_unread, answered]
)
def test_a_message_can_be_read_for_90_days_and_not_longer(
    shown: Callable[[User, MessageJSON], bool], bob: User, nearly_gone: MessageJSON
) -> None:
    assert shown(bob, nearly_gone)
    age(nearly_gone, DAYS)
    assert not shown(bob, nearly_gone)


def test_a_younger_message_is_found_after_an_older_one(alice: User, bob: User, conversation: Conversation) -> None:
    old, young = say(alice, conversation, "old"), say(alice, conversation, "young")
    age(old, DAYS)
    shown = show_conversation(by=bob, conversation_id=conversation.pk)
    assert (shown["last_message"]["id"], shown["me"]["unread_count"]) == (young["id"], 1)
    assert [one["text"] for one in history(by=bob, conversation_id=conversation.pk).items] == ["young"]


def test_an_old_message_is_gone_from_every_rest_route(
    server: Server, access: Callable[[User], str], bob: User, nearly_gone: MessageJSON
) -> None:
    conversation = nearly_gone["conversation_id"]
    with httpx.Client(base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {access(bob)}"}) as rest:

        def statuses() -> tuple[Any, ...]:
            one = rest.get(f"/messages/{nearly_gone['id']}")
            page = rest.get(f"/messages/conversation/{conversation}").json()["data"]
            with_alice = rest.get(f"/messages/friend/{nearly_gone['sender_id']}").json()["data"]
            return one.status_code, len(page), len(with_alice)

        assert statuses() == (200, 1, 1)
        age(nearly_gone, DAYS)
        assert statuses() == (404, 0, 0)
