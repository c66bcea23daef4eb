"""Delivering personal settings of conversations, and the unread counts: loaded once for all people they concern."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from chatproject.core.background import Background
from conversations.events import ConversationSettings
from messaging.realtime.people import Person
from messaging.realtime.queries import load_personal_settings

logger = logging.getLogger(__name__)

PAUSE = 0.5


class PersonalSettings:
    """The conversations of people here whose settings are still to be delivered, and the one reader of them."""

    def __init__(self, people: Mapping[UUID, Person], background: Background) -> None:
        self._people = people
        self._background = background
        self._pending: dict[UUID, set[UUID]] = {}
        self._is_loading = False

    def deliver_soon(self, person: Person, conversations: Iterable[UUID]) -> None:
        """Deliver to a person's devices the present settings of some conversations."""
        if ids := set(conversations):
            self._pending.setdefault(person.id, set()).update(ids)
            if not self._is_loading:
                self._is_loading = True
                self._background.run(self._deliver_pending())

    def forget(self) -> None:
        """Deliver nothing of what is still to be delivered."""
        self._pending = {}

    async def _deliver_pending(self) -> None:
        try:
            while self._pending:
                wanted, self._pending = self._pending, {}
                await self._deliver(wanted)
        finally:
            self._is_loading = False

    async def _deliver(self, wanted: Mapping[UUID, set[UUID]]) -> None:
        try:
            loaded = await load_personal_settings(wanted)
        except Exception:
            logger.exception("personal settings could not be loaded, trying again")
            self._put_back(wanted)
            await asyncio.sleep(PAUSE)
            return
        for user_id, id, last_position, me in loaded:
            person = self._people.get(user_id)
            if person is not None and id in person.memberships:
                person.deliver(ConversationSettings(str(id), last_position, me).frame())

    def _put_back(self, wanted: Mapping[UUID, set[UUID]]) -> None:
        for user_id, ids in wanted.items():
            if person := self._people.get(user_id):
                self.deliver_soon(person, ids)
