"""Locks on people: commands that change contacts, invitations or blocks lock the rows of both people.

Conversations are locked before people, and people in the order of their ids, so that no two commands deadlock.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
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


class TooFewLocked(Exception):
    """More rows are concerned than were locked."""


def until_all_are_locked(attempt: Callable[[], T]) -> T:
    """Run an attempt in a transaction; roll it back and try again while it raises TooFewLocked."""
    for _ in range(LOCK_TRIES):
        with suppress(TooFewLocked), transaction.atomic():
            return attempt()
    raise Unavailable("Too much is changing at the moment. Please try again.")


def lock_all_people(people: Callable[[], Collection[UUID]]) -> list[User]:
    """Lock the people that `people()` names; TooFewLocked if it names more once they are locked."""
    wanted = set(people())
    locked = lock_people(wanted)
    if not wanted >= set(people()):
        raise TooFewLocked
    return locked


def with_people_locked(act: Callable[[Sequence[User]], T], *, people: Callable[[], Collection[UUID]]) -> T:
    """Run `act` in a transaction that has locked everyone whom `people()` names."""
    return until_all_are_locked(lambda: act(lock_all_people(people)))


def person_in(people: Iterable[User], id: UUID) -> User:
    """Return the locked person with this id. Raises User.DoesNotExist if the account has been closed."""
    found = next((user for user in people if user.pk == id), None)
    if found is None:
        raise User.DoesNotExist
    return found
