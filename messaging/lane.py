"""The lane: what many sockets of one process say, gathered into one statement and one commit at a time.

While a commit is in flight the next batch gathers, so a quiet server answers at once and a busy one commits less
often. Nobody is answered before the commit is known. Where its outcome is not known the batch is said again: the same
ids, the same rows. Conversations that someone else holds locked leave the lane and are tried singly beside it.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from contextvars import Context
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from channels.db import database_sync_to_async
from django.conf import settings

from accounts.realtime import Post, publish_soon
from chatproject import metrics
from chatproject.database import connection_parameters
from conversations.access import Unavailable
from messaging.append import FREE, Draft, Outcome, parameters, statement
from messaging.events import post_created
from messaging.log import Said, refusal, repeat_of, stored_json
from messaging.models import Message
from messaging.partitions import make_partitions

logger = logging.getLogger(__name__)

BATCH_LENGTH = 256
PATIENCE = 10.0
"""Seconds after which a message that could not be stored is given back to its sender."""
PLANS_LAST = 60.0
SESSION = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c statement_timeout=20s"


class Entry:
    """One draft on its way, and who waits for it."""

    __slots__ = ("answer", "draft", "since", "unsure")

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self.since = time.monotonic()
        self.unsure = False
        """Whether an earlier try may have been committed without our knowing."""

    def refuse(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def accept(self, said: Said) -> None:
        if not self.answer.done():
            self.answer.set_result(said)


class Connection:
    """A connection that appends and does nothing else, made when it is needed and again when it is lost."""

    def __init__(self, *, lock_timeout: str) -> None:
        self._options = f"{SESSION} -c lock_timeout={lock_timeout}"
        self._connection: psycopg.AsyncConnection | None = None
        self._planned_at = 0.0

    async def run(self, sql: str, values: dict[str, object]) -> list[tuple]:  # type: ignore[type-arg]
        """Run one statement in a transaction of its own and fetch its rows."""
        connection = await self._ready()
        cursor = await connection.execute(sql, values, prepare=True)
        return await cursor.fetchall()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _ready(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed or self._connection.broken:
            known = connection_parameters()
            known["options"] = f"{known.get('options', '')} {self._options}"
            self._connection = await psycopg.AsyncConnection.connect(**known, autocommit=True)
            self._planned_at = time.monotonic()
        elif time.monotonic() - self._planned_at > PLANS_LAST:
            # A plan made while the tables were small is kept for ever, and slow once they have grown.
            await self._connection.execute("DISCARD PLANS", prepare=False)
            self._planned_at = time.monotonic()
        return self._connection


class Lane:
    """One lane in each event loop."""

    def __init__(self) -> None:
        self._waiting: list[Entry] = []
        self._stuck: dict[UUID, list[Entry]] = {}
        self._running: asyncio.Task[None] | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._connection = Connection(lock_timeout="250ms")

    async def append(self, draft: Draft) -> Said:
        """Append a message; return when it is durable and recognised, or raise as the synchronous append does."""
        return await self.submit(draft)

    def submit(self, draft: Draft) -> "asyncio.Future[Said]":
        """Put a message behind those before it; the future holds what `append` would return."""
        entry = Entry(draft)
        self._enqueue(entry)
        return entry.answer

    async def drain(self) -> None:
        """Wait until everything under way is answered, then give the connection back."""
        while tasks := {task for task in (self._running, *self._beside) if task is not None and not task.done()}:
            await asyncio.wait(tasks)
        await self._connection.close()

    def _enqueue(self, entry: Entry) -> None:
        if entry.draft.conversation_id in self._stuck:
            # Behind those that wait for the same lock, or it would overtake them.
            self._stuck[entry.draft.conversation_id].append(entry)
            return
        self._waiting.append(entry)
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run(), context=Context())

    async def _run(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            try:
                await self._commit_or_step_aside(batch)
            except Exception as error:
                await self._after_failure(batch, error)

    def _next_batch(self) -> list[Entry]:
        """Take what has gathered; an id that comes twice has to wait for its first."""
        batch: dict[UUID, Entry] = {}
        later: list[Entry] = []
        for entry in self._waiting:
            if entry.draft.id in batch or len(batch) >= BATCH_LENGTH:
                later.append(entry)
            else:
                batch[entry.draft.id] = entry
        self._waiting = later
        return list(batch.values())

    async def _commit_or_step_aside(self, batch: Sequence[Entry]) -> None:
        try:
            await self._commit(batch, self._connection)
        except psycopg.errors.LockNotAvailable:
            await self._step_aside(batch)

    async def _commit(self, batch: Sequence[Entry], connection: Connection) -> None:
        drafts = [entry.draft for entry in batch]
        began = time.monotonic()
        rows = await connection.run(statement(drafts), parameters(drafts, retention_days=settings.RETENTION_DAYS))
        metrics.appended(len(drafts), seconds=time.monotonic() - began)
        posts: list[Post] = []
        for entry, row in zip(batch, rows, strict=True):
            if post := await self._settle(entry, Outcome(*row)):
                posts.append(post)
        if posts:
            metrics.MESSAGES.inc(len(posts))
            await publish_soon(posts)

    async def _settle(self, entry: Entry, outcome: Outcome) -> Post | None:
        """Answer one entry, or put it back; give what is to be published of it."""
        if outcome.what == "new":
            message = stored_json(entry.draft, outcome)
            entry.accept(Said(message, repeated=False))
            return post_created(entry.draft.conversation_id, outcome.epoch, message)
        if outcome.what == "again":
            self._again([entry])
        elif outcome.what == "refused":
            entry.refuse(refusal(outcome))
        else:
            return await self._answer_repeat(entry, outcome)
        return None

    async def _answer_repeat(self, entry: Entry, outcome: Outcome) -> Post | None:
        try:
            message = repeat_of(entry.draft, await Message.objects.filter(pk=entry.draft.id).afirst())
        except Exception as error:
            entry.refuse(error)
            return None
        entry.accept(Said(message, repeated=not entry.unsure))
        return post_created(entry.draft.conversation_id, outcome.epoch, message) if entry.unsure else None

    async def _step_aside(self, batch: Sequence[Entry]) -> None:
        """Let the conversations that someone holds wait beside the lane, and say the rest again."""
        locks = {"locks": parameters([e.draft for e in batch], retention_days=0)["locks"]}
        free = {row[0] for row in await self._connection.run(FREE, locks)}
        held: dict[UUID, list[Entry]] = defaultdict(list)
        for entry in batch:
            if entry.draft.conversation_id not in free:
                held[entry.draft.conversation_id].append(entry)
        self._again([entry for entry in batch if entry.draft.conversation_id in free])
        for conversation_id, entries in held.items():
            self._stuck[conversation_id] = entries
            task = asyncio.get_running_loop().create_task(self._wait_beside(conversation_id), context=Context())
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)

    async def _wait_beside(self, conversation_id: UUID) -> None:
        connection = Connection(lock_timeout=f"{PATIENCE:.0f}s")
        try:
            while entries := self._stuck[conversation_id]:
                self._stuck[conversation_id] = []
                for entry in entries:
                    try:
                        await self._commit([entry], connection)
                    except Exception as error:
                        self._give_back(entry, error)
        finally:
            self._again(self._stuck.pop(conversation_id))
            await connection.close()

    async def _after_failure(self, batch: Sequence[Entry], error: Exception) -> None:
        """Say a batch again whose outcome is unknown or that collided; give back what has waited too long."""
        if isinstance(error, psycopg.errors.CheckViolation):
            logger.critical("no partition for a message; making the missing weeks now")
            await database_sync_to_async(make_partitions)()
        elif not isinstance(error, psycopg.errors.UniqueViolation | psycopg.errors.DeadlockDetected):
            logger.error("a batch of %d could not be appended: %s", len(batch), error)
            await self._connection.close()
            await asyncio.sleep(0.1)
        for entry in batch:
            entry.unsure = True
            if time.monotonic() - entry.since > PATIENCE or not isinstance(error, psycopg.Error):
                self._give_back(entry, error)
        self._again([entry for entry in batch if not entry.answer.done()])

    def _again(self, entries: Sequence[Entry]) -> None:
        for entry in reversed(entries):
            self._waiting.insert(0, entry)
        if self._waiting and (self._running is None or self._running.done()):
            self._running = asyncio.get_running_loop().create_task(self._run(), context=Context())

    def _give_back(self, entry: Entry, error: Exception) -> None:
        logger.error("a message could not be appended: %s", type(error).__name__)
        entry.refuse(Unavailable("The message could not be stored just now. Please send it again."))


_lanes: "WeakKeyDictionary[asyncio.AbstractEventLoop, Lane]" = WeakKeyDictionary()


def lane() -> Lane:
    """The lane of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _lanes:
        _lanes[loop] = Lane()
    return _lanes[loop]
