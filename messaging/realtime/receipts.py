"""Delivering receipts to the sockets that may know them, and finding those that were lost.

Receipts have no versions. In their place stands the table of runs, the log of what all servers have moved:
reconciliation compares its last seconds with what was received in them, and delivers what was not.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from messaging.realtime.people import Person
from messaging.realtime.receipt_queries import load_receipts, load_recent_runs
from messaging.realtime.subscriptions import Subscription
from messaging.receipts.events import ReceiptsChanged, frame_of, receipts_changed

LOOKBACK_SECONDS = 12.0
"""Seconds of runs that a reconciliation looks at: those since the last one, and as much again."""
REMEMBERED_SECONDS = 15.0
"""Seconds for which received receipts are remembered at least."""

Key = tuple[UUID, UUID]
"""A conversation, and a member of it."""
Reached = tuple[int, int]
"""How far was delivered, and how far was read."""


class ReceiptDelivery:
    """Delivers receipts, and remembers the latest ones by conversation and person."""

    def __init__(self) -> None:
        self._recent: dict[Key, Reached] = {}
        self._former: dict[Key, Reached] = {}
        self._since = 0.0

    def deliver(
        self, subscription: Subscription, event: ReceiptsChanged, person_of: Callable[[UUID], Person | None]
    ) -> None:
        """Deliver receipts to those who may know them.

        Where the members have changed and that is not known here yet, nobody receives them: reconciliation delivers
        them when it is.
        """
        if event.epoch > subscription.epoch:
            return
        for each in event.receipts:
            self._remember((subscription.id, each.user_id), (each.delivered, each.read))
        recipients = None if event.recipients is None else set(event.recipients)
        full, without_read = (
            frame_of(subscription.id, event.receipts, shows_read=shows_read) for shows_read in (True, False)
        )
        # A socket that is too slow is removed while it is delivered to.
        for socket in list(subscription.sockets):
            person = person_of(socket.user_id)
            if person is None or (recipients is not None and person.id not in recipients):
                continue
            if frame := full if person.sees_receipts else without_read:
                socket.deliver(frame)

    async def find_lost(self, conversations: Collection[UUID], *, grace: float) -> list[ReceiptsChanged]:
        """Find the receipts of some conversations that were published of late and not received, even after a grace."""
        lost = self._not_received(await load_recent_runs(conversations, seconds=LOOKBACK_SECONDS))
        if lost:
            # What has only just been committed is still on its way.
            await asyncio.sleep(grace)
            lost = self._not_received(lost)
        return receipts_changed(await load_receipts(lost)) if lost else []

    def forget(self) -> None:
        """Forget everything that was received: positions may have been turned back."""
        self._recent, self._former = {}, {}

    def expire(self, now: float) -> None:
        """Forget what was received long ago; called now and then."""
        if now - self._since > REMEMBERED_SECONDS:
            self._recent, self._former, self._since = {}, self._recent, now

    def _not_received(self, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if not self._has_received(row)]

    def _has_received(self, row: Any) -> bool:
        delivered, read = self._known((row.conversation_id, row.user_id))
        return bool(delivered >= row.delivered and read >= row.read)

    def _remember(self, key: Key, reached: Reached) -> None:
        known = self._known(key)
        self._recent[key] = max(known[0], reached[0]), max(known[1], reached[1])

    def _known(self, key: Key) -> Reached:
        return self._recent.get(key) or self._former.get(key) or (0, 0)
