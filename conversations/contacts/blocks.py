"""Blocking people.

The blocked person gets no sign of it: to them it looks as if the other one did not reply.
"""

from uuid import UUID

from accounts.changes import publish_user_change
from accounts.models import SERVICE_ID, Block, User
from accounts.people import relationships
from chatproject.core.errors import Unprocessable
from conversations.permissions import Locked, refresh_permissions, with_pair_locked


def block(*, by: User, other: User) -> None:
    """Block someone: neither can write to the other or invite them, and they stop being contacts.

    Groups that both belong to are not affected.
    """
    if by.pk == other.pk:
        raise Unprocessable("You can't block yourself.")
    if other.pk == SERVICE_ID:
        raise Unprocessable("This account sends you news about your own account, so you can't block it.")

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
    """Remove a block; nothing happens if there is none. What the block ended is not restored."""

    def act(locked: Locked) -> None:
        if Block.objects.filter(user=by, blocked=other_id).delete()[0]:
            refresh_permissions(locked.conversations)
            publish_user_change(people=[by.pk], contacts=True)

    with_pair_locked(by.pk, other_id, act)
