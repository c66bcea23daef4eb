"""The watermarks of many sockets of one process, gathered for a moment: one statement and one commit for all of them.

Of several watermarks of one participant only the furthest counts, so it does not matter how many a client sends. What
the database does not accept just now stays here and is retried; watermarks only ever grow, so a retry is harmless.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextvars import Context
from uuid import UUID

import psycopg

from chatproject.core import metrics
from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.realtime import publish_soon
from messaging.receipts.watermark_sql import MOVE, MoveOutcome, Watermark, parameters
from messaging.receipts.watermarks import events_of
from messaging.retention.missing_partition import is_missing_partition, make_missing_partitions_soon

logger = logging.getLogger(__name__)

GATHERING = 0.25
"""Seconds for which watermarks gather."""
SOON = 0.02
"""Seconds until a locked participant is retried."""
PAUSE = 1.0
"""Seconds until a database that did not answer is retried."""
BATCH_LENGTH = 100
"""Watermarks in one statement: every row that it moves is locked until all of them are stored."""
MAX_PENDING = 50_000
"""Watermarks that are kept while the database is away; a client sends its watermarks again when it comes back."""


class WatermarkBatcher:
    """The watermarks that wait for a commit in one event loop."""

    def __init__(self) -> None:
        self._pending: dict[tuple[UUID, UUID], Watermark] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._connection = DedicatedConnection()

    def add(self, conversation_id: UUID, user_id: UUID, *, delivered: int = 0, read: int = 0) -> None:
        """Note how far a member has come; it is stored and published within half a second."""
        pending = self._pending.get((conversation_id, user_id))
        if pending is not None:
            pending.delivered, pending.read = max(pending.delivered, delivered), max(pending.read, read)
        elif len(self._pending) < MAX_PENDING:
            self._pending[conversation_id, user_id] = Watermark(conversation_id, user_id, delivered, read)
        else:
            metrics.MARKS_DROPPED.inc()
        if self._timer is None and not self._is_flushing:
            self._wait(GATHERING)

    async def drain(self) -> None:
        """Store what has gathered, with one retry if it is needed, then close the connection."""
        for _ in range(2):
            if self._timer is not None:
                self._timer.cancel()
                self._begin()
            if self._flushing is not None:
                await asyncio.wait([self._flushing])
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._connection.close()

    @property
    def _is_flushing(self) -> bool:
        return self._flushing is not None and not self._flushing.done()

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin, context=Context())

    def _begin(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self._flush(), context=Context())

    async def _flush(self) -> None:
        """Store all that has gathered so far; what remains, and what came meanwhile, waits for the next time."""
        watermarks, self._pending = list(self._pending.values()), {}
        after = GATHERING
        while watermarks:
            batch, watermarks = watermarks[:BATCH_LENGTH], watermarks[BATCH_LENGTH:]
            try:
                locked = await self._store(batch)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self._put_back([*batch, *watermarks])
                await self._recover(error)
                after = PAUSE
                break
            self._put_back(locked)
            after = SOON if locked else after
        if self._pending:
            self._wait(after)

    async def _store(self, batch: list[Watermark]) -> list[Watermark]:
        """Store and publish some watermarks; return those whose participants are locked."""
        rows = await self._connection.run(MOVE, parameters(batch))
        outcomes = [MoveOutcome(*row) for row in rows]
        metrics.MARKS.inc(sum(outcome.status == "moved" for outcome in outcomes))
        await publish_soon(events_of(batch, outcomes))
        return [watermark for watermark, outcome in zip(batch, outcomes, strict=True) if outcome.status == "locked"]

    def _put_back(self, watermarks: Iterable[Watermark]) -> None:
        """Keep watermarks for the next time, together with those that came meanwhile for the same participants."""
        for each in watermarks:
            self.add(each.conversation_id, each.user_id, delivered=each.delivered, read=each.read)

    async def _recover(self, error: Exception) -> None:
        logger.error("receipts could not be stored, and are retried: %s", type(error).__name__)
        await self._connection.close()
        if is_missing_partition(error):
            await make_missing_partitions_soon()


watermark_batcher = OnePerLoop(WatermarkBatcher)
"""The batcher of the running event loop."""
