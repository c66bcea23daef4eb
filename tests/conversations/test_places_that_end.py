"""Someone is put out while a call of theirs is being answered: what is said from then on is not in the answer."""

from accounts.models import User
from conversations.access import participant_of
from conversations.groups import add_members, remove_member
from conversations.models import Conversation, Participant
from messaging.access import readable
from messaging.sync.inbox import show_conversations, show_memberships
from tests.messaging.helpers import say


def ended_place(user: User, group: Conversation, owner: User) -> Participant:
    """A place as it was read just before its end, after which something was said."""
    place = participant_of(user, group.pk)
    remove_member(by=owner, conversation_id=group.pk, user_id=user.pk)
    say(owner, group, "He is out.")
    return place


def test_a_place_that_has_ended_since_it_was_read_shows_nothing(group: Conversation, alice: User, bob: User) -> None:
    place = ended_place(bob, group, alice)
    assert not readable(place).exists()
    assert (show_conversations([place], by=bob), show_memberships([place])) == ([], {})


def test_who_has_come_back_meanwhile_sees_nothing_by_the_old_place(group: Conversation, alice: User, bob: User) -> None:
    place = ended_place(bob, group, alice)
    add_members(by=alice, conversation_id=group.pk, users=[bob])
    assert not readable(place).exists()
