"""Contacts: inviting someone, answering an invitation, and removing a contact.

The sender of an invitation does not learn that the other has blocked them: it looks as if there were no answer yet.
"""

from uuid import UUID

from django.utils import timezone

from accounts.changes import publish_user_change
from accounts.models import ContactInvitation, User
from accounts.people import relationships
from chatproject.core import rate_limits
from chatproject.core.errors import Blocked, Conflict, Unprocessable
from chatproject.core.rate_limits import quotas
from conversations.permissions import Locked, refresh_permissions, with_locks, with_pair_locked


def invite(*, by: User, to: User) -> tuple[ContactInvitation, bool]:
    """Invite someone to be a contact; return the invitation, and whether it is new.

    If the other has already sent an invitation, it is accepted. Someone who has blocked the sender does not see the
    invitation. RateLimited after too many new ones in a day.
    """
    if by.pk == to.pk:
        raise Unprocessable("You can't invite yourself.", pointer="/to")
    with rate_limits.charged(by.pk, (quotas.CONTACT_INVITATIONS, 1)) as charge:
        invitation, is_new = with_pair_locked(
            by.pk, to.pk, lambda locked: _invite(locked, locked.person(by.pk), locked.person(to.pk))
        )
    if not is_new:
        rate_limits.refund(charge)
    return invitation, is_new


def _invite(locked: Locked, by: User, to: User) -> tuple[ContactInvitation, bool]:
    if relationships.has_blocked(by.pk, to.pk):
        raise Blocked("You have blocked this person.", pointer="/to")
    if relationships.are_contacts(by.pk, to.pk):
        raise Conflict("You are contacts already.", pointer="/to")
    if theirs := relationships.open_invitations(sender=to.pk, receiver=by.pk).first():
        return _accept(locked, theirs), False
    hidden = relationships.has_blocked(to.pk, by.pk)
    mine = relationships.open_invitations(sender=by.pk, receiver=to.pk).first()
    if mine is not None and (hidden or not mine.hidden):
        return mine, False
    is_new = mine is None
    mine = mine or ContactInvitation(sender=by, receiver=to)
    mine.hidden = hidden
    mine.save()
    publish_user_change(people=[by.pk] if hidden else [by.pk, to.pk], contacts=True)
    return mine, is_new


def accept_invitation(*, by: User, invitation_id: UUID) -> ContactInvitation:
    """Accept an invitation: the two become contacts. Accepting again changes nothing; Conflict if it was declined."""
    sender_id = _received(by, invitation_id).sender_id
    return with_pair_locked(by.pk, sender_id, lambda locked: _accept(locked, _received(by, invitation_id)))


def _accept(locked: Locked, invitation: ContactInvitation) -> ContactInvitation:
    if invitation.answered_at is None:
        relationships.make_contacts(invitation.sender_id, invitation.receiver_id)
        refresh_permissions(locked.conversations)
        publish_user_change(people=[user.pk for user in locked.people], contacts=True)
        invitation.refresh_from_db()
    return _answered(invitation, accepted=True)


def decline_invitation(*, by: User, invitation_id: UUID) -> ContactInvitation:
    """Decline an invitation. Declining again changes nothing; Conflict if it was accepted."""
    sender_id = _received(by, invitation_id).sender_id

    def act(locked: Locked) -> ContactInvitation:
        invitation = _received(by, invitation_id)
        if invitation.answered_at is None:
            invitation.answered_at, invitation.accepted = timezone.now(), False
            invitation.save(update_fields=["answered_at", "accepted"])
            publish_user_change(people=[user.pk for user in locked.people], contacts=True)
        return _answered(invitation, accepted=False)

    return with_locks(act, people=lambda: {by.pk, sender_id})


def _received(by: User, invitation_id: UUID) -> ContactInvitation:
    """Return an invitation that the person can see as its receiver; otherwise ContactInvitation.DoesNotExist."""
    return ContactInvitation.objects.select_related("sender", "receiver").get(
        pk=invitation_id, receiver=by, hidden=False
    )


def _answered(invitation: ContactInvitation, *, accepted: bool) -> ContactInvitation:
    if invitation.accepted is not accepted:
        raise Conflict("This invitation has been answered already.")
    return invitation


def remove_contact(*, by: User, other_id: UUID) -> None:
    """Remove a contact from the lists of both people; nothing happens if they are not contacts."""

    def act(locked: Locked) -> None:
        if relationships.end_contact(by.pk, other_id):
            refresh_permissions(locked.conversations)
            publish_user_change(people=[by.pk, other_id], contacts=True)

    with_pair_locked(by.pk, other_id, act)
