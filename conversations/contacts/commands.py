"""What may be done between people: invitations, contacts, blocks, and what each lets the others do.

A block is never told of: who is blocked sees the same answers as if the other simply did not answer.
"""

from collections.abc import Callable
from types import EllipsisType
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from accounts.changes import publish_user_change
from accounts.models import SERVICE_ID, Block, ContactInvitation, User
from accounts.people import relations
from chatproject.core import rate_limits
from chatproject.core.errors import Blocked, Conflict, Invalid, Unprocessable
from chatproject.core.names import name_error
from chatproject.core.rate_limits import quotas
from conversations.permissions import Locked, direct_between, directs_of, refresh_permissions, with_locks
from messaging.media.avatars import replace_avatar

T = TypeVar("T")


def invite(*, by: User, to: User) -> tuple[ContactInvitation, bool]:
    """Ask someone to be a contact; also tell whether the invitation is new.

    If the other has asked already, that is accepted. Someone who has blocked the sender hears nothing of it.
    RateLimited after too many new ones in a day.
    """
    if by.pk == to.pk:
        raise Unprocessable("You can't invite yourself.", pointer="/to")
    with rate_limits.charged(by.pk, (quotas.CONTACT_INVITATIONS, 1)) as charge:
        invitation, is_new = _between(by.pk, to.pk, lambda held: _invite(held, held.person(by.pk), held.person(to.pk)))
    if not is_new:
        rate_limits.refund(charge)
    return invitation, is_new


def _invite(held: Locked, by: User, to: User) -> tuple[ContactInvitation, bool]:
    if relations.has_blocked(by.pk, to.pk):
        raise Blocked("You have blocked this person.", pointer="/to")
    if relations.are_contacts(by.pk, to.pk):
        raise Conflict("You are contacts already.", pointer="/to")
    if theirs := relations.open_invitations(sender=to.pk, receiver=by.pk).first():
        return _accept(held, theirs), False
    hidden = relations.has_blocked(to.pk, by.pk)
    mine = relations.open_invitations(sender=by.pk, receiver=to.pk).first()
    if mine is not None and (hidden or not mine.hidden):
        return mine, False
    is_new = mine is None
    mine = mine or ContactInvitation(sender=by, receiver=to)
    mine.hidden = hidden
    mine.save()
    publish_user_change(people=[by.pk] if hidden else [by.pk, to.pk], contacts=True)
    return mine, is_new


def accept_invitation(*, by: User, invitation_id: UUID) -> ContactInvitation:
    """Say yes: the two are contacts. Doing it again changes nothing; Conflict if it was declined."""
    sender_id = _received(by, invitation_id).sender_id
    return _between(by.pk, sender_id, lambda held: _accept(held, _received(by, invitation_id)))


def _accept(held: Locked, invitation: ContactInvitation) -> ContactInvitation:
    if invitation.answered_at is None:
        relations.make_contacts(invitation.sender_id, invitation.receiver_id)
        refresh_permissions(held.conversations)
        publish_user_change(people=[user.pk for user in held.people], contacts=True)
        invitation.refresh_from_db()
    return _answered(invitation, accepted=True)


def decline_invitation(*, by: User, invitation_id: UUID) -> ContactInvitation:
    """Say no. Doing it again changes nothing; Conflict if it was accepted."""
    sender_id = _received(by, invitation_id).sender_id

    def act(held: Locked) -> ContactInvitation:
        invitation = _received(by, invitation_id)
        if invitation.answered_at is None:
            invitation.answered_at, invitation.accepted = timezone.now(), False
            invitation.save(update_fields=["answered_at", "accepted"])
            publish_user_change(people=[user.pk for user in held.people], contacts=True)
        return _answered(invitation, accepted=False)

    return with_locks(act, people=lambda: {by.pk, sender_id})


def _received(by: User, invitation_id: UUID) -> ContactInvitation:
    """An invitation that has reached a person; ContactInvitation.DoesNotExist for any other."""
    return ContactInvitation.objects.select_related("sender", "receiver").get(
        pk=invitation_id, receiver=by, hidden=False
    )


def _answered(invitation: ContactInvitation, *, accepted: bool) -> ContactInvitation:
    if invitation.accepted is not accepted:
        raise Conflict("This invitation has been answered already.")
    return invitation


def remove_contact(*, by: User, other_id: UUID) -> None:
    """End that two people are contacts; nothing happens if they are none."""

    def act(held: Locked) -> None:
        if relations.end_contact(by.pk, other_id):
            refresh_permissions(held.conversations)
            publish_user_change(people=[by.pk, other_id], contacts=True)

    _between(by.pk, other_id, act)


def block(*, by: User, other: User) -> None:
    """Have nothing to do with someone any more: no writing either way, no contact, no invitations. Groups go on."""
    if by.pk == other.pk:
        raise Unprocessable("You can't block yourself.")
    if other.pk == SERVICE_ID:
        raise Unprocessable("This account tells you what concerns your own; it can't be blocked.")

    def act(held: Locked) -> None:
        _, is_new = Block.objects.get_or_create(user=held.person(by.pk), blocked=held.person(other.pk))
        if is_new:
            is_seen = relations.end_contact(by.pk, other.pk) | relations.withdraw_invitations(
                by_id=by.pk, other_id=other.pk
            )
            refresh_permissions(held.conversations)
            publish_user_change(people=[by.pk, other.pk] if is_seen else [by.pk], contacts=True)

    _between(by.pk, other.pk, act)


def unblock(*, by: User, other_id: UUID) -> None:
    """Take a block back; nothing happens if there is none. What it ended does not come back."""

    def act(held: Locked) -> None:
        if Block.objects.filter(user=by, blocked=other_id).delete()[0]:
            refresh_permissions(held.conversations)
            publish_user_change(people=[by.pk], contacts=True)

    _between(by.pk, other_id, act)


def update_me(
    *,
    by: User,
    username: str | None = None,
    display_name: str | None = None,
    about: str | None = None,
    settings: dict[str, Any] | None = None,
    avatar_media_id: UUID | EllipsisType | None = ...,
) -> User:
    """Change what a person says of themselves, and the settings that are named; give the person as they are now.

    Invalid for a name that could mislead. A username changes once, and only one that was given by the server: else
    NotAllowed, and Conflict if someone has it. Unprocessable for a picture that is none; None takes it away.
    """
    changes = settings or {}
    if display_name and (fault := name_error(display_name)):
        raise Invalid(fault, pointer="/display_name")

    def act(held: Locked) -> User:
        me = held.person(by.pk)
        before = (me.username, me.display_name, me.about, me.settings, me.avatar_id)
        relations.change_username(me, me.username if username is None else username)
        me.display_name = me.display_name if display_name is None else display_name
        me.about = me.about if about is None else about
        me.settings = me.settings | changes
        if avatar_media_id is not ...:
            me.avatar_id = replace_avatar(me.avatar_id, avatar_media_id, owner_id=me.pk)
        if before != (me.username, me.display_name, me.about, me.settings, me.avatar_id):
            me.save(update_fields=["display_name", "folded_name", "about", "settings", "avatar_id"])
            refresh_permissions(held.conversations)
            publish_user_change(people=[me.pk])
        return me

    touched = directs_of(by.pk) if "write" in changes else None
    return with_locks(act, people=lambda: {by.pk}, conversations=touched)


def _between(by_id: UUID, other_id: UUID, act: Callable[[Locked], T]) -> T:
    """Do something that may change who of two people may write."""
    return with_locks(act, people=lambda: {by_id, other_id}, conversations=direct_between(by_id, other_id))
