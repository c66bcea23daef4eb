"""How many files one process looks at at the same time, and for whom.

One person has one slot of a process at most. So whatever a person sends, another one's file finds a slot in each
process, and does not wait until a file that takes minutes has been looked at.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition
from uuid import UUID

from chatproject.core.database import without_connection
from messaging.models import Attachment


class Slots:
    """So many slots, each with a file of another person. Threads share them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._served: set[UUID] = set()
        self._changed = Condition()

    @contextmanager
    def for_person(self, owner_id: UUID, *, within: float) -> Iterator[bool]:
        """Have a slot for a person's file; tell whether there was one within so many seconds."""
        with without_connection(), self._changed:
            has_slot = self._changed.wait_for(lambda: self._has_slot_for(owner_id), within)
            if has_slot:
                self._served.add(owner_id)
        try:
            yield has_slot
        finally:
            if has_slot:
                self._leave(owner_id)

    @contextmanager
    def for_next(self, begin: Callable[[set[UUID]], Attachment | None]) -> Iterator[Attachment | None]:
        """Have a slot for the file that `begin` finds for someone beside those who have one; None if it finds none."""
        with without_connection(), self._changed:
            self._changed.wait_for(lambda: len(self._served) < self._most)
            found = begin(self._served)
            if found is not None:
                self._served.add(found.owner_id)
        try:
            yield found
        finally:
            if found is not None:
                self._leave(found.owner_id)

    def wait(self, seconds: float) -> None:
        """Wait until someone leaves a slot, or for so long."""
        with without_connection(), self._changed:
            self._changed.wait(seconds)

    def _has_slot_for(self, owner_id: UUID) -> bool:
        return len(self._served) < self._most and owner_id not in self._served

    def _leave(self, owner_id: UUID) -> None:
        with without_connection(), self._changed:
            self._served.discard(owner_id)
            self._changed.notify_all()
