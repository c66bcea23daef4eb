"""How many files one process examines at the same time, and for whom.

A person has at most one slot of a process. So whatever one person uploads, the file of another one finds a slot in each
process, and does not wait for a file whose examination takes minutes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from uuid import UUID

from chatproject.core.database import without_connection
from messaging.models import Attachment


class ProcessingSlots:
    """A fixed number of slots, each for a file of another person; safe to use from several threads."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._owners: set[UUID] = set()
        self._changed = Condition()

    @contextmanager
    def for_owner(self, owner_id: UUID, *, within: float) -> Iterator[bool]:
        """Acquire a slot for a person's file; yield whether there was one within so many seconds."""
        with without_connection(), self._changed:
            has_slot = self._changed.wait_for(lambda: self._has_slot_for(owner_id), within)
            if has_slot:
                self._owners.add(owner_id)
        try:
            yield has_slot
        finally:
            if has_slot:
                self._release(owner_id)

    @contextmanager
    def for_next(self, claim: Callable[[set[UUID]], Attachment | None]) -> Iterator[Attachment | None]:
        """Acquire a slot for the upload that `claim` returns; yield the upload, or None if there is none.

        `claim` is called with the people who have a slot already, whose uploads it must not return.
        """
        with without_connection(), self._changed:
            self._changed.wait_for(lambda: len(self._owners) < self._count)
            found = claim(self._owners)
            if found is not None:
                self._owners.add(found.owner_id)
        try:
            yield found
        finally:
            if found is not None:
                self._release(found.owner_id)

    def wait(self, seconds: float) -> None:
        """Wait until a slot is released, at most so many seconds."""
        with without_connection(), self._changed:
            self._changed.wait(seconds)

    def _has_slot_for(self, owner_id: UUID) -> bool:
        return len(self._owners) < self._count and owner_id not in self._owners

    def _release(self, owner_id: UUID) -> None:
        with without_connection(), self._changed:
            self._owners.discard(owner_id)
            self._changed.notify_all()
