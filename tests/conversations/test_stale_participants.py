"""A member is removed while a request of theirs is answered: the answer contains no message sent afterwards."""

from accounts.models import User
from conversations.access import participant_of
from conversations.groups import add_members, remove_member
from conversations.models import Conversation, Participant
from messaging.access import readable
from messaging.sync.inbox import show_conversations, show_memberships
from tests.messaging.helpers import say


def removed_participant(user: User, group: Conversation, owner: User) -> Participant:
    """Return a participant that was read just before its removal; a message was sent afterwards."""
    participant = participant_of(user, group.pk)
    remove_member(by=owner, conversation_id=group.pk, user_id=user.pk)
    say(owner, group, "Without you")
    return participant


def test_a_member_removed_after_their_participant_was_read_sees_nothing(
    group: Conversation, alice: User, bob: User
) -> None:
    participant = removed_participant(bob, group, alice)
    assert not readable(participant).exists()
    assert (show_conversations([participant], by=bob), show_memberships([participant])) == ([], {})


def test_someone_who_has_joined_again_sees_nothing_with_the_old_participant(
    group: Conversation, alice: User, bob: User
) -> None:
    participant = removed_participant(bob, group, alice)
    add_members(by=alice, conversation_id=group.pk, users=[bob])
    assert not readable(participant).exists()
