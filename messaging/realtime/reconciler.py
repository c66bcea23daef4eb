"""Reconciliation: every few seconds a hub compares all that it knows with the database.

It compares versions, never times, and loads receipts in the order in which they were stored. What it finds was lost
on the way: never published, because a server died, or not received, because Redis was unreachable.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from chatproject.core import metrics
from chatproject.core.realtime import EVERYONE, conversation_group, user_group
from messaging.realtime.people import Person
from messaging.realtime.queries import NewerVersions, find_newer
from messaging.realtime.receipts import ReceiptDelivery
from messaging.realtime.subscriptions import Subscription, Subscriptions
from messaging.receipts.events import ReceiptsChanged

logger = logging.getLogger(__name__)

INTERVAL = 2.5
"""Seconds from the beginning of one reconciliation to that of the next."""
PAUSE = 0.25
"""Seconds between two reconciliations at least, however much goes wrong."""
GRACE = 0.25
"""Seconds for which what has only just been committed may still be on its way."""
TIMEOUT = 4.0
"""Seconds after which a reconciliation that gets no answer is given up and begun again."""


class Repairs(NamedTuple):
    """What to do about something that was lost."""

    conversation: Callable[[Subscription], None]
    person: Callable[[Person], None]
    receipts: Callable[[ReceiptsChanged], None]


class Reconciler:
    """Reconciles the tables of one hub."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        people: Mapping[UUID, Person],
        receipts: ReceiptDelivery,
        *,
        repairs: Repairs,
    ) -> None:
        self._subscriptions = subscriptions
        self._people = people
        self._receipts = receipts
        self._repairs = repairs
        self._soon = asyncio.Event()

    def run_soon(self) -> None:
        """Reconcile at once: something may have been lost."""
        self._soon.set()

    async def run(self) -> None:
        """Reconcile again and again; at once when something may have been lost."""
        due = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._soon.wait()
                    await asyncio.sleep(PAUSE)
            self._soon.clear()
            due = asyncio.get_running_loop().time() + INTERVAL
            try:
                async with asyncio.timeout(TIMEOUT):
                    await self._reconcile()
            except Exception as error:
                logger.warning("the reconciliation failed: %s", error)

    async def _reconcile(self) -> None:
        conversations = (conversation_group(id) for id in self._subscriptions.by_id)
        await self._subscriptions.add_groups([EVERYONE, *conversations, *(user_group(id) for id in self._people)])
        await asyncio.gather(self._reconcile_versions(), self._reconcile_receipts())

    async def _reconcile_versions(self) -> None:
        if any(newer := await self._find_newer()):
            await asyncio.sleep(GRACE)
            self._repair(newer)

    async def _find_newer(self) -> NewerVersions:
        return await find_newer(
            {id: each.version for id, each in self._subscriptions.by_id.items() if each.version >= 0},
            {id: person.version for id, person in self._people.items() if person.is_ready},
        )

    def _repair(self, newer: NewerVersions) -> None:
        for id, version in newer.conversations.items():
            if (subscription := self._subscriptions.by_id.get(id)) and subscription.version < version:
                metrics.FOUND_BY_RECONCILIATION.inc()
                subscription.expected = version
                self._repairs.conversation(subscription)
        for id, version in newer.people.items():
            if (person := self._people.get(id)) and person.version < version:
                metrics.FOUND_BY_RECONCILIATION.inc()
                self._repairs.person(person)

    async def _reconcile_receipts(self) -> None:
        self._receipts.expire(asyncio.get_running_loop().time())
        if not self._subscriptions.by_id:
            return
        for event in await self._receipts.find_lost(list(self._subscriptions.by_id), grace=GRACE):
            metrics.FOUND_BY_RECONCILIATION.inc()
            self._repairs.receipts(event)
