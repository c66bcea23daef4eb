"""Who owns the groups of someone who closes their account."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from conversations.contacts.account_closure import close_account
from conversations.creation import create_group
from conversations.models import Conversation, Participant
from messaging.messages.send import send_message
from messaging.models import Message
from messaging.retention.purge import forget_conversation, left_behind
from messaging.sync.history import history
from messaging.sync.inbox import list_conversations
from tests.conversations.group_helpers import owner


def joined(group: Conversation, user: User, *, days_ago: int, role: str = "member") -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Participant.objects.filter(conversation=group, user=user).update(joined_at=at, role=role)


@pytest.mark.parametrize(
    ("bob_is", "carol_is", "successor"),
    [
        ((9, "member"), (5, "member"), "bob"),
        ((5, "member"), (9, "member"), "carol"),
        ((9, "member"), (1, "admin"), "carol"),
        ((1, "admin"), (9, "admin"), "carol"),
    ],
)
def test_the_longest_standing_admin_then_member_owns_the_group(
    group: Conversation, alice: User, bob: User, carol: User, bob_is: Any, carol_is: Any, successor: str
) -> None:
    for user, (days_ago, role) in ((bob, bob_is), (carol, carol_is)):
        joined(group, user, days_ago=days_ago, role=role)
    close_account(by=alice)
    connection.check_constraints()
    assert owner(group) == successor
    roles = {each["user"]["username"]: each["role"] for each in list_conversations(by=bob).items[0]["participants"]}
    assert roles[successor] == "owner"


def test_active_members_succeed_before_suspended_and_former_ones(
    group: Conversation, alice: User, bob: User, carol: User, person: Any
) -> None:
    for n, user in enumerate((bob, carol)):
        joined(group, user, days_ago=9 - n, role="admin")
    User.objects.filter(pk=bob.pk).update(is_active=False)
    Participant.objects.filter(user=carol).update(left_at=timezone.now(), left_version=0)
    dave = person("dave")
    Participant.objects.create(conversation=group, user=dave)
    close_account(by=alice)
    assert owner(group) == "dave"


def test_notices_name_the_new_owner_and_record_that_the_old_one_left(
    group: Conversation, alice: User, bob: User
) -> None:
    close_account(by=alice)
    notices = [each["notice"] for each in history(by=bob, conversation_id=group.pk).items]
    assert [(notice["event"], notice["user_ids"]) for notice in notices][1:] == [
        ("transferred", [str(bob.pk)]),
        ("left", [str(alice.pk)]),
    ]


def test_a_group_without_other_members_is_deleted_with_its_messages(
    group: Conversation, conversation: Conversation, alice: User
) -> None:
    notes = create_group(by=alice, name="Notes")
    for each in (notes, group, conversation):
        send_message(by=alice, conversation_id=each.pk, text="Hi")
    close_account(by=alice)
    connection.check_constraints()
    assert set(Conversation.objects.all()) == {group, conversation}
    assert left_behind() == [notes.pk]
    assert forget_conversation(notes.pk) == 2
    assert not Message.objects.filter(conversation=notes.pk).exists()
    assert Message.objects.filter(kind="text").count() == 2
