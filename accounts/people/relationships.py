"""Reading and writing contacts, invitations and blocks, for the commands in `conversations.contacts`.

The caller has locked the people concerned (`accounts.people.locks`), so that concurrent changes stay consistent.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Block, Contact, ContactInvitation, User


def has_blocked(user_id: UUID, other_id: UUID) -> bool:
    return Block.objects.filter(user=user_id, blocked=other_id).exists()


def are_contacts(one_id: UUID, other_id: UUID) -> bool:
    return Contact.objects.filter(user=one_id, other=other_id).exists()


def open_invitations(*, sender: UUID, receiver: UUID) -> QuerySet[ContactInvitation]:
    """Select the unanswered invitation of one person to another, if there is one."""
    return ContactInvitation.objects.filter(sender=sender, receiver=receiver, answered_at=None)


def make_contacts(one_id: UUID, other_id: UUID) -> None:
    """Make two people contacts, and mark the open invitations between them as accepted."""
    pair = [Contact(user_id=one_id, other_id=other_id), Contact(user_id=other_id, other_id=one_id)]
    Contact.objects.bulk_create(pair, ignore_conflicts=True)
    between = open_invitations(sender=one_id, receiver=other_id) | open_invitations(sender=other_id, receiver=one_id)
    between.update(answered_at=timezone.now(), accepted=True)


def end_contact(one_id: UUID, other_id: UUID) -> bool:
    """Remove two people from each other's contacts; return whether they were contacts."""
    pair = Contact.objects.filter(Q(user=one_id, other=other_id) | Q(user=other_id, other=one_id))
    return pair.delete()[0] > 0


def withdraw_invitations(*, by_id: UUID, other_id: UUID) -> bool:
    """Delete the invitation that one sent and hide the other's; return whether the other person sees a change."""
    withdrawn, _ = open_invitations(sender=by_id, receiver=other_id).filter(hidden=False).delete()
    open_invitations(sender=by_id, receiver=other_id).delete()
    open_invitations(sender=other_id, receiver=by_id).update(hidden=True)
    return withdrawn > 0


def people_listing(user_id: UUID) -> set[UUID]:
    """Return the ids of the person and of everyone in whose contacts, blocks or invitations they appear."""
    invitations = ContactInvitation.objects.filter(answered_at=None)
    lists = (
        Contact.objects.filter(other=user_id).values_list("user", flat=True),
        Block.objects.filter(blocked=user_id).values_list("user", flat=True),
        invitations.filter(receiver=user_id).values_list("sender", flat=True),
        invitations.filter(sender=user_id, hidden=False).values_list("receiver", flat=True),
    )
    return {user_id, *(id for each in lists for id in each)}


@dataclass(frozen=True, slots=True)
class Relation:
    """The relation of a person to someone, as far as the person's own lists show it."""

    is_me: bool
    is_contact: bool
    is_blocked: bool
    is_invited: bool
    invitation: UUID | None
    """The invitation that waits for the person's answer."""


def relation_to(*, by: User, other: User) -> Relation:
    """Return the relation of `by` to another person."""
    received = open_invitations(sender=other.pk, receiver=by.pk).filter(hidden=False)
    return Relation(
        is_me=by.pk == other.pk,
        is_contact=are_contacts(by.pk, other.pk),
        is_blocked=has_blocked(by.pk, other.pk),
        is_invited=open_invitations(sender=by.pk, receiver=other.pk).exists(),
        invitation=received.values_list("pk", flat=True).first(),
    )
