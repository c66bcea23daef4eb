"""What people have settled for themselves, or read, told to their devices: read once for all of whom it is news at a
time.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from chatproject.core.background import Background
from conversations.events import ConversationSettings
from messaging.realtime import queries
from messaging.realtime.tables import Person

logger = logging.getLogger(__name__)

PAUSE = 0.5


class Settled:
    """The conversations of people here of which something is still to be told, and the one reader of them."""

    def __init__(self, people: Mapping[UUID, Person], background: Background) -> None:
        self._people = people
        self._background = background
        self._waiting: dict[UUID, set[UUID]] = {}
        self._is_reading = False

    def add(self, person: Person, conversations: Iterable[UUID]) -> None:
        """Tell a person's devices soon how it is with some conversations now."""
        if ids := set(conversations):
            self._waiting.setdefault(person.id, set()).update(ids)
            if not self._is_reading:
                self._is_reading = True
                self._background.run(self._tell())

    async def _tell(self) -> None:
        try:
            while self._waiting:
                wanted, self._waiting = self._waiting, {}
                await self._tell_these(wanted)
        finally:
            self._is_reading = False

    async def _tell_these(self, wanted: Mapping[UUID, set[UUID]]) -> None:
        try:
            shown = await queries.own(wanted)
        except Exception:
            logger.exception("what people have settled could not be read, and is tried again")
            self._put_back(wanted)
            await asyncio.sleep(PAUSE)
            return
        for user_id, id, last_position, me in shown:
            person = self._people.get(user_id)
            if person is not None and id in person.conversations:
                person.hear(ConversationSettings(str(id), last_position, me).frame())

    def _put_back(self, wanted: Mapping[UUID, set[UUID]]) -> None:
        for user_id, ids in wanted.items():
            if person := self._people.get(user_id):
                self.add(person, ids)
