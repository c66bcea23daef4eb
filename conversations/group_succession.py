"""The next owner of a group whose owner closes their account."""

from collections.abc import Sequence
from uuid import UUID

from accounts.models import User
from conversations.models import Conversation, Participant


def successors_of(user: User, conversations: Sequence[Conversation]) -> dict[UUID, Participant]:
    """Return the next owner of each group: its longest-standing admin, else its longest-standing member."""
    groups = [each for each in conversations if each.kind == Conversation.Kind.GROUP]
    others = Participant.objects.filter(conversation__in=groups, left_at=None).exclude(user=user)
    # Suspended people, who can't sign in, come last. "admin" sorts before "member".
    ranked = others.order_by("conversation_id", "-user__is_active", "role", "joined_at", "pk")
    successors = ranked.distinct("conversation_id").select_related("user")
    return {successor.conversation_id: successor for successor in successors}
