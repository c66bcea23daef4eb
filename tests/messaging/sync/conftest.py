"""What tests of the inbox share: groups of two people, and the names in someone's list."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.sync.inbox import list_conversations

NOW = timezone.now()


def active_at(conversation: Conversation, moment: Any) -> None:
    """Let a conversation have been made, and last been active, at a moment."""
    Conversation.objects.filter(pk=conversation.pk).update(active_at=moment)
    conversation.participants.update(joined_at=moment)


def names(by: User, **asked: Any) -> list[str]:
    return [shown["name"] for shown in list_conversations(by=by, **asked).items]


@pytest.fixture
def garden(alice: User, bob: User) -> Callable[[str], Conversation]:
    """Make groups of alice and bob, each changed a minute before the one made before it."""
    minutes = count()

    def make(name: str) -> Conversation:
        group = create_group(by=alice, name=name, participants=[bob])
        active_at(group, NOW - timedelta(minutes=next(minutes)))
        return group

    return make
