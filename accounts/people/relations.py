"""What people are to each other, written row by row: the lower half of the commands in `conversations.contacts`.

Whoever calls one of these holds the people concerned locked, so that no two of them contradict each other.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Block, Contact, ContactInvitation, User
from accounts.usernames import IS_KEPT, IS_TAKEN, is_kept
from chatproject.core.errors import Conflict, NotAllowed, Unavailable

T = TypeVar("T")

LOCK_TRIES = 8


def lock_people(ids: Iterable[UUID]) -> list[User]:
    """Lock people until the transaction ends, in the order of their ids; closed accounts are not among them."""
    wanted = User.objects.filter(pk__in=set(ids), is_active=True).order_by("pk")
    return list(wanted.select_for_update(no_key=True))


def with_people_locked(act: Callable[[Sequence[User]], T], *, people: Callable[[], Collection[UUID]]) -> T:
    """Do something in one transaction that holds people locked; begin again if more turn out to be concerned."""
    for _ in range(LOCK_TRIES):
        with transaction.atomic():
            wanted = set(people())
            locked = lock_people(wanted)
            if wanted >= set(people()):
                return act(locked)
            transaction.set_rollback(True)
    raise Unavailable("Too much is changing at this moment. Please try again.")


def person_in(people: Iterable[User], id: UUID) -> User:
    """Find one of some people; User.DoesNotExist if the account has been closed."""
    found = next((user for user in people if user.pk == id), None)
    if found is None:
        raise User.DoesNotExist
    return found


def has_blocked(user_id: UUID, other_id: UUID) -> bool:
    return Block.objects.filter(user=user_id, blocked=other_id).exists()


def are_contacts(one_id: UUID, other_id: UUID) -> bool:
    return Contact.objects.filter(user=one_id, other=other_id).exists()


def open_invitations(*, sender: UUID, receiver: UUID) -> QuerySet[ContactInvitation]:
    """The invitation of one person to another that waits for its answer, if there is one."""
    return ContactInvitation.objects.filter(sender=sender, receiver=receiver, answered_at=None)


def make_contacts(one_id: UUID, other_id: UUID) -> None:
    """Make two people contacts; what they had open between them is answered by that."""
    pair = [Contact(user_id=one_id, other_id=other_id), Contact(user_id=other_id, other_id=one_id)]
    Contact.objects.bulk_create(pair, ignore_conflicts=True)
    between = open_invitations(sender=one_id, receiver=other_id) | open_invitations(sender=other_id, receiver=one_id)
    between.update(answered_at=timezone.now(), accepted=True)


def end_contact(one_id: UUID, other_id: UUID) -> bool:
    """End that two people are contacts; tell whether they were."""
    pair = Contact.objects.filter(Q(user=one_id, other=other_id) | Q(user=other_id, other=one_id))
    return pair.delete()[0] > 0


def withdraw_invitations(*, by_id: UUID, other_id: UUID) -> bool:
    """Take back what one has sent, and let what the other has sent never have arrived; tell if the other sees it."""
    withdrawn, _ = open_invitations(sender=by_id, receiver=other_id).filter(hidden=False).delete()
    open_invitations(sender=by_id, receiver=other_id).delete()
    open_invitations(sender=other_id, receiver=by_id).update(hidden=True)
    return withdrawn > 0


def people_listing(user_id: UUID) -> set[UUID]:
    """Everyone in whose lists a person stands, and the person."""
    invitations = ContactInvitation.objects.filter(answered_at=None)
    lists = (
        Contact.objects.filter(other=user_id).values_list("user", flat=True),
        Block.objects.filter(blocked=user_id).values_list("user", flat=True),
        invitations.filter(receiver=user_id).values_list("sender", flat=True),
        invitations.filter(sender=user_id, hidden=False).values_list("receiver", flat=True),
    )
    return {user_id, *(id for each in lists for id in each)}


def change_username(user: User, username: str) -> None:
    """Change a username that the server made up; NotAllowed if it did not, Conflict if the other can't be had."""
    if username == user.username:
        return
    if not user.has_given_name:
        raise NotAllowed("Your username can't be changed.", pointer="/username")
    if is_kept(username):
        raise Conflict(IS_KEPT, pointer="/username")
    user.username, user.has_given_name = username, False
    try:
        with transaction.atomic():
            user.save(update_fields=["username", "has_given_name"])
    except IntegrityError:
        raise Conflict(IS_TAKEN, pointer="/username") from None
