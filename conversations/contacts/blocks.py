"""Blocking people.

The blocked person is not told: the answers they get are those of someone who does not reply.
"""

from uuid import UUID

from accounts.changes import publish_user_change
from accounts.models import SERVICE_ID, Block, User
from accounts.people import relationships
from chatproject.core.errors import Unprocessable
from conversations.permissions import Locked, refresh_permissions, with_pair_locked


def block(*, by: User, other: User) -> None:
    """Have nothing to do with someone any more: no writing either way, no contact, no invitations. Groups go on."""
    if by.pk == other.pk:
        raise Unprocessable("You can't block yourself.")
    if other.pk == SERVICE_ID:
        raise Unprocessable("This account tells you what concerns your own; it can't be blocked.")

    def act(locked: Locked) -> None:
        _, is_new = Block.objects.get_or_create(user=locked.person(by.pk), blocked=locked.person(other.pk))
        if is_new:
            is_seen = relationships.end_contact(by.pk, other.pk) | relationships.withdraw_invitations(
                by_id=by.pk, other_id=other.pk
            )
            refresh_permissions(locked.conversations)
            publish_user_change(people=[by.pk, other.pk] if is_seen else [by.pk], contacts=True)

    with_pair_locked(by.pk, other.pk, act)


def unblock(*, by: User, other_id: UUID) -> None:
    """Take a block back; nothing happens if there is none. What it ended does not come back."""

    def act(locked: Locked) -> None:
        if Block.objects.filter(user=by, blocked=other_id).delete()[0]:
            refresh_permissions(locked.conversations)
            publish_user_change(people=[by.pk], contacts=True)

    with_pair_locked(by.pk, other_id, act)
