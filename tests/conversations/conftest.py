"""Fixtures shared by the tests of conversations: one more person, and an invitation link."""

from collections.abc import Callable

import pytest

from accounts.models import User
from conversations.models import Conversation, InviteLink
from tests.conversations.group_helpers import make_link


@pytest.fixture
def dave(person: Callable[..., User]) -> User:
    return person("dave", display_name="Dave")


@pytest.fixture
def link(group: Conversation, alice: User) -> InviteLink:
    return make_link(group, alice)[0]
