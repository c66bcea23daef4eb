"""Who is in, and how no is said.

A stranger finds nothing: `Conversation.DoesNotExist`, whatever he asks for. Members who may see but not do get a
`Refused`; every door turns it into its own idiom.
"""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from conversations.models import Conversation, Participant


def memberships_of(by: User) -> QuerySet[Participant]:
    """The places of a person in the conversations he is in now."""
    return Participant.objects.filter(user=by, left_at__isnull=True)


def members_of(conversation: Conversation) -> QuerySet[Participant]:
    """The places of those who are in a conversation now."""
    return Participant.objects.filter(conversation=conversation, left_at__isnull=True)


def participant_of(by: User, conversation_id: UUID) -> Participant:
    """The person's place in a conversation, with it; Conversation.DoesNotExist for a stranger."""
    try:
        return memberships_of(by).select_related("conversation").get(conversation_id=conversation_id)
    except Participant.DoesNotExist:
        raise Conversation.DoesNotExist from None


def shares_a_conversation(by: User, other: User) -> bool:
    """Tell whether someone is in a conversation that another person is or was in."""
    return memberships_of(by).filter(conversation__participants__user=other).exists()
