"""Finding the participant of a member, and errors for strangers."""

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.access import memberships_of, participant_of
from conversations.models import Conversation, Participant


def test_a_member_is_found_with_one_query(
    django_assert_num_queries: DjangoAssertNumQueries, conversation: Conversation, bob: User
) -> None:
    with django_assert_num_queries(1):
        assert participant_of(bob, conversation.pk).conversation == conversation


def test_a_stranger_finds_no_conversation(conversation: Conversation, mallory: User) -> None:
    with pytest.raises(Conversation.DoesNotExist):
        participant_of(mallory, conversation.pk)


def test_an_unknown_conversation_does_not_exist_for_anyone(alice: User) -> None:
    with pytest.raises(Conversation.DoesNotExist):
        participant_of(alice, uuid7())


def test_someone_who_has_left_is_a_stranger(group: Conversation, bob: User) -> None:
    Participant.objects.filter(user=bob).update(left_at=timezone.now(), left_version=1)
    with pytest.raises(Conversation.DoesNotExist):
        participant_of(bob, group.pk)
    assert not memberships_of(bob).exists()
