"""The marks of many sockets of one process, gathered for a moment: one statement and one commit for all of them.

Of what someone says of one conversation only the furthest counts, so it does not matter how often they say it. What
the database does not take just now stays here, and is tried again; marks only ever grow, so trying twice is harmless.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from contextvars import Context
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg

from chatproject.core import metrics
from chatproject.core.database import in_thread
from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.realtime import publish_soon
from messaging.receipts.watermarks import MOVE, Mark, Outcome, parameters, posts
from messaging.retention.partitions import make_partitions

logger = logging.getLogger(__name__)

GATHERING = 0.25
"""Seconds for which marks gather."""
SOON = 0.02
"""Seconds until what someone held is tried again."""
PAUSE = 1.0
"""Seconds until a database that did not answer is tried again."""
BATCH_LENGTH = 100
"""Marks in one statement: whatever it moves is locked until all of it is stored."""
PLACES_MOST = 50_000
"""Places of which marks are kept while the database is away; a client repeats its marks when it comes back."""

Place = tuple[UUID, UUID]


class Gatherer:
    """One in each event loop."""

    def __init__(self) -> None:
        self._marks: dict[Place, Mark] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._connection = DedicatedConnection()

    def add(self, conversation_id: UUID, user_id: UUID, *, delivered: int = 0, read: int = 0) -> None:
        """Note how far someone who is in has come; stored and told within half a second."""
        mark = self._marks.get((conversation_id, user_id))
        if mark is not None:
            mark.delivered, mark.read = max(mark.delivered, delivered), max(mark.read, read)
        elif len(self._marks) < PLACES_MOST:
            self._marks[conversation_id, user_id] = Mark(conversation_id, user_id, delivered, read)
        else:
            metrics.MARKS_DROPPED.inc()
        if self._timer is None and not self._is_flushing:
            self._wait(GATHERING)

    async def drain(self) -> None:
        """Store what has gathered, tried once more if need be, then give the connection back."""
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
        """Store all that has gathered so far; what remains, and what came meanwhile, waits its turn."""
        marks, self._marks = list(self._marks.values()), {}
        after = GATHERING
        while marks:
            batch, marks = marks[:BATCH_LENGTH], marks[BATCH_LENGTH:]
            try:
                waiting = await self._store(batch)
            except (psycopg.Error, OSError, TimeoutError) as error:
                self._keep([*batch, *marks])
                await self._fail(error)
                after = PAUSE
                break
            self._keep(waiting)
            after = SOON if waiting else after
        if self._marks:
            self._wait(after)

    async def _store(self, batch: list[Mark]) -> list[Mark]:
        """Store and tell some marks; give those that have to wait."""
        rows = await self._connection.run(MOVE, parameters(batch))
        outcomes = [Outcome(*row) for row in rows]
        metrics.MARKS.inc(sum(outcome.what == "moved" for outcome in outcomes))
        await publish_soon(posts(batch, outcomes))
        return [mark for mark, outcome in zip(batch, outcomes, strict=True) if outcome.what == "waiting"]

    def _keep(self, marks: Iterable[Mark]) -> None:
        """Put marks back; what was said meanwhile of the same places counts as well."""
        for mark in marks:
            self.add(mark.conversation_id, mark.user_id, delivered=mark.delivered, read=mark.read)

    async def _fail(self, error: Exception) -> None:
        logger.error("receipts could not be stored, and are tried again: %s", type(error).__name__)
        await self._connection.close()
        if isinstance(error, psycopg.errors.CheckViolation):
            with suppress(Exception):
                await in_thread(make_partitions)()


_gatherers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Gatherer]" = WeakKeyDictionary()


def gatherer() -> Gatherer:
    """The gatherer of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _gatherers:
        _gatherers[loop] = Gatherer()
    return _gatherers[loop]
