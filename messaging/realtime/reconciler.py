"""The audit: every few seconds a hub compares all that it knows with the database.

It compares versions, never times, and asks for receipts by the order in which they were stored. What it finds was
lost on the way: told to nobody, by a server that died, by a Redis that was away.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from chatproject.core import metrics
from chatproject.core.realtime import EVERYONE, conversation_group, user_group
from messaging.realtime import queries
from messaging.realtime.queries import Newer
from messaging.realtime.receipts import ReceiptsHeard
from messaging.realtime.subscriptions import Following
from messaging.realtime.tables import Heard, Person
from messaging.receipts.events import ReceiptsChanged

logger = logging.getLogger(__name__)

EVERY = 2.5
"""Seconds from the beginning of one audit to that of the next."""
PAUSE = 0.25
"""Seconds between two audits at least, however much goes wrong."""
GRACE = 0.25
"""Seconds for which what has only just been committed may still be on its way."""
PATIENCE = 4.0
"""Seconds after which an audit that gets no answer is begun anew."""


class Findings(NamedTuple):
    """What is to be done about what was missed."""

    conversation: Callable[[Heard], None]
    person: Callable[[Person], None]
    receipts: Callable[[ReceiptsChanged], None]


class Audit:
    """Looks after one hub's tables."""

    def __init__(
        self, following: Following, people: Mapping[UUID, Person], receipts: ReceiptsHeard, *, mend: Findings
    ) -> None:
        self._following = following
        self._people = people
        self._receipts = receipts
        self._mend = mend
        self._soon = asyncio.Event()

    def look_soon(self) -> None:
        """Something may have been lost."""
        self._soon.set()

    async def run(self) -> None:
        """Look again and again; at once when something may have been lost."""
        due = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._soon.wait()
                    await asyncio.sleep(PAUSE)
            self._soon.clear()
            due = asyncio.get_running_loop().time() + EVERY
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._look()
            except Exception as error:
                logger.warning("the audit could not look: %s", error)

    async def _look(self) -> None:
        conversations = (conversation_group(id) for id in self._following.heard)
        await self._following.add([EVERYONE, *conversations, *(user_group(id) for id in self._people)])
        await asyncio.gather(self._find_changes(), self._find_receipts())

    async def _find_changes(self) -> None:
        if any(behind := await self._newer()):
            await asyncio.sleep(GRACE)
            self._find(behind)

    def _find(self, behind: Newer) -> None:
        for id, version in behind.conversations.items():
            if (heard := self._following.heard.get(id)) and heard.version < version:
                metrics.FOUND_BY_AUDIT.inc()
                heard.expected = version
                self._mend.conversation(heard)
        for id, version in behind.people.items():
            if (person := self._people.get(id)) and person.version < version:
                metrics.FOUND_BY_AUDIT.inc()
                self._mend.person(person)

    async def _find_receipts(self) -> None:
        self._receipts.forget(asyncio.get_running_loop().time())
        if not self._following.heard:
            return
        for event in await self._receipts.missed(list(self._following.heard), grace=GRACE):
            metrics.FOUND_BY_AUDIT.inc()
            self._mend.receipts(event)

    async def _newer(self) -> Newer:
        return await queries.newer(
            {id: heard.version for id, heard in self._following.heard.items() if heard.version >= 0},
            {id: person.version for id, person in self._people.items() if person.is_ready},
        )
