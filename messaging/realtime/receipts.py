"""Receipts as a server process hears them: handed to the sockets that may know, remembered, and looked for when lost.

Receipts have no versions. What stands in for them is the table of runs, the log of what all servers have moved: the
audit compares its last seconds with what was heard in them, and tells what was not.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

from messaging.realtime import queries
from messaging.realtime.tables import Heard, Person
from messaging.receipts.events import ReceiptsChanged, frame_of, receipts_changed

LOOKED_BACK = 12.0
"""Seconds of runs that an audit looks at: those since the last one, and as much again."""
REMEMBERED = 15.0
"""Seconds for which what was heard is remembered at least."""

Place = tuple[UUID, UUID]
Reached = tuple[int, int]


class ReceiptsHeard:
    """What has been heard of late, by conversation and person."""

    def __init__(self) -> None:
        self._fresh: dict[Place, Reached] = {}
        self._former: dict[Place, Reached] = {}
        self._since = 0.0

    def hear(self, heard: Heard, event: ReceiptsChanged, person_of: Callable[[UUID], Person | None]) -> None:
        """Tell receipts to those who may know them.

        Where the members have changed and that is not known here yet, nobody is told: the audit does it when it is.
        """
        if event.epoch > heard.epoch:
            return
        for each in event.receipts:
            self._remember((heard.id, each.user_id), (each.delivered, each.read))
        recipients = None if event.recipients is None else set(event.recipients)
        seen, unseen = (frame_of(heard.id, event.receipts, shows_read=shows_read) for shows_read in (True, False))
        # A socket that is too slow leaves while it is handed this.
        for socket in list(heard.listeners):
            person = person_of(socket.user_id)
            if person is None or (recipients is not None and person.id not in recipients):
                continue
            if frame := seen if person.sees_receipts else unseen:
                socket.deliver(frame)

    async def missed(self, conversations: Collection[UUID], *, grace: float) -> list[ReceiptsChanged]:
        """Find what has moved of late in some conversations and was not heard, nor is within a grace; write it as it
        should have come.
        """
        unheard = self._unheard(await queries.runs(conversations, back=LOOKED_BACK))
        if unheard:
            # What has only just been committed is still on its way.
            await asyncio.sleep(grace)
            unheard = self._unheard(unheard)
        news = await queries.receipts(unheard) if unheard else []
        return receipts_changed(news)

    def _unheard(self, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if not self._has_heard(row)]

    def forget(self, now: float) -> None:
        """Forget what was heard long ago; called now and then."""
        if now - self._since > REMEMBERED:
            self._fresh, self._former, self._since = {}, self._fresh, now

    def _has_heard(self, row: Any) -> bool:
        delivered, read = self._known((row.conversation_id, row.user_id))
        return bool(delivered >= row.delivered and read >= row.read)

    def _remember(self, place: Place, reached: Reached) -> None:
        known = self._known(place)
        self._fresh[place] = max(known[0], reached[0]), max(known[1], reached[1])

    def _known(self, place: Place) -> Reached:
        return self._fresh.get(place) or self._former.get(place) or (0, 0)
