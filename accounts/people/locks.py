"""Locks on people: commands that change contacts, invitations or blocks lock the rows of both people.

Conversations are locked before people, and people in the order of their ids, so that no two commands deadlock.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from django.db import transaction

from accounts.models import User
from chatproject.core.errors import Unavailable

T = TypeVar("T")

LOCK_TRIES = 8


def lock_people(ids: Iterable[UUID]) -> list[User]:
    """Lock people until the transaction ends, in the order of their ids; closed accounts are left out."""
    wanted = User.objects.filter(pk__in=set(ids), is_active=True).order_by("pk")
    return list(wanted.select_for_update(no_key=True))


def with_people_locked(act: Callable[[Sequence[User]], T], *, people: Callable[[], Collection[UUID]]) -> T:
    """Run `act` in a transaction in which the people are locked; retry if `people()` names more after the locking."""
    for _ in range(LOCK_TRIES):
        with transaction.atomic():
            wanted = set(people())
            locked = lock_people(wanted)
            if wanted >= set(people()):
                return act(locked)
            transaction.set_rollback(True)
    raise Unavailable("Too much is changing at the moment. Please try again.")


def person_in(people: Iterable[User], id: UUID) -> User:
    """Return the locked person with this id. Raises User.DoesNotExist if the account has been closed."""
    found = next((user for user in people if user.pk == id), None)
    if found is None:
        raise User.DoesNotExist
    return found
