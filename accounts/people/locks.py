"""Locks on people: commands that change what people are to each other hold the rows of both while they do.

Conversations are locked before people, and people in the order of their ids; so no two commands deadlock.
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
