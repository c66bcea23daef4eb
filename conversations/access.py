"""Access to conversations: who is a member, and the errors for everyone else.

For a stranger no conversation exists: every command raises `Conversation.DoesNotExist`. A member who may see a
conversation but not do something gets a `Refused`, which each door (REST, socket, page) turns into its own answer.
"""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from conversations.models import Conversation, Participant


def memberships_of(by: User) -> QuerySet[Participant]:
    """The participants of a person in the conversations of which they are a member now."""
    return Participant.objects.filter(user=by, left_at__isnull=True)


def members_of(conversation: Conversation) -> QuerySet[Participant]:
    """The participants of a conversation who are members now; those who have left are not included."""
    return Participant.objects.filter(conversation=conversation, left_at__isnull=True)


def participant_of(by: User, conversation_id: UUID) -> Participant:
    """Return the participant of a person with its conversation; Conversation.DoesNotExist for a stranger."""
    try:
        return memberships_of(by).select_related("conversation").get(conversation_id=conversation_id)
    except Participant.DoesNotExist:
        raise Conversation.DoesNotExist from None


def shares_a_conversation(by: User, other: User) -> bool:
    """Return whether `by` is a member of a conversation of which `other` is or was a member."""
    return memberships_of(by).filter(conversation__participants__user=other).exists()
