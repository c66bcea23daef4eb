"""The lane: what many sockets of one process say, gathered into one statement and one commit at a time.

While a commit is in flight the next batch gathers, so a quiet server answers at once and a busy one commits less
often. Nobody is answered before the commit is known. Where its outcome is not known the batch is said again: the same
ids, the same rows. What waits for a lock that someone else holds leaves the lane and is tried beside it, conversation
by conversation. Within a conversation nothing overtakes what was said before it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings

from chatproject.core import metrics
from chatproject.core.database import in_thread
from chatproject.core.errors import Unavailable
from chatproject.core.realtime import ConversationEvent, publish_soon
from messaging.messages.append import Said, recognise, settle, unseen_json
from messaging.messages.append_sql import Draft, Outcome, parameters, statement
from messaging.messages.dedicated_connection import Connection
from messaging.messages.events import message_created
from messaging.messages.json import message_json
from messaging.retention.partitions import make_partitions

logger = logging.getLogger(__name__)

BATCH_LENGTH = 256
GATHERING = 0.001
"""Seconds between two commits while messages keep coming: most of what a commit costs, it costs for one message or
for ten, and a machine that is busy with small commits makes everybody wait longer than this.
"""
ENOUGH = 32
"""Messages for which a commit need not wait."""
PATIENCE = 10.0
"""Seconds after which a message that could not be stored is given back to its sender."""
PAUSE = 0.1
COLLISIONS = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected)
"""The same id came by two servers at once, or two batches met: saying it again at once settles it."""


Answer = Callable[[Said | Exception], None]
"""Told once what has become of a message: it was said, or why not. It must not wait, and nothing may go wrong in it."""


class Entry:
    """One draft on its way, and who waits for it."""

    __slots__ = ("_answer", "draft", "is_answered", "since", "unsure")

    def __init__(self, draft: Draft, answer: Answer) -> None:
        self.draft = draft
        self._answer = answer
        self.is_answered = False
        self.since = time.monotonic()
        self.unsure = False
        """Whether an earlier try may have been committed without our knowing."""

    def refuse(self, error: Exception) -> None:
        self._tell(error)

    def accept(self, said: Said) -> None:
        self._tell(said)

    def _tell(self, what: Said | Exception) -> None:
        if not self.is_answered:
            self.is_answered = True
            self._answer(what)

    def give_back(self) -> None:
        """Tell the sender that the message is to be sent again."""
        self.refuse(Unavailable("The message could not be stored just now. Please send it again."))


class Lane:
    """One lane in each event loop."""

    def __init__(self) -> None:
        self._waiting: list[Entry] = []
        self._held: dict[UUID, list[Entry]] = {}
        """Conversations that someone else holds, and what waits for them, in order."""
        self._running: asyncio.Task[None] | None = None
        self._beside: asyncio.Task[None] | None = None
        self._connection = Connection()

    async def append(self, draft: Draft) -> Said:
        """Append a message; return when it is durable and recognised, or raise as the synchronous append does."""
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()

        def settle(what: Said | Exception) -> None:
            if answer.cancelled():
                return
            if isinstance(what, Exception):
                answer.set_exception(what)
            else:
                answer.set_result(what)

        self.submit(draft, settle)
        return await answer

    def submit(self, draft: Draft, answer: Answer) -> None:
        """Put a message behind those before it; `answer` is told what `append` would return or raise."""
        entry = Entry(draft, answer)
        if draft.conversation_id in self._held:
            self._held[draft.conversation_id].append(entry)
        else:
            self._waiting.append(entry)
        self._start()

    async def drain(self) -> None:
        """Wait until everything under way is answered, then give the connection back."""
        while tasks := [task for task in (self._running, self._beside) if task is not None and not task.done()]:
            await asyncio.wait(tasks)
        await self._connection.close()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._waiting and (self._running is None or self._running.done()):
            self._running = loop.create_task(self._run(self._connection), context=Context())
        if self._held and (self._beside is None or self._beside.done()):
            self._beside = loop.create_task(self._run_beside(), context=Context())

    async def _run(self, connection: Connection) -> None:
        while batch := self._next_batch():
            try:
                again = await self._attempt(batch, connection)
            except psycopg.errors.LockNotAvailable:
                again = await self._attempt_singly(batch, connection)
            self._put_back(again)
            if 0 < len(self._waiting) < ENOUGH:
                await asyncio.sleep(GATHERING)

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

    def _put_back(self, entries: Sequence[Entry]) -> None:
        """Put entries before all others, in their order; those of a conversation that is held go there."""
        for entry in entries:
            if entry.draft.conversation_id in self._held:
                self._held[entry.draft.conversation_id].append(entry)
        self._waiting[:0] = [entry for entry in entries if entry.draft.conversation_id not in self._held]

    # Where someone holds what is needed

    async def _attempt_singly(self, batch: Sequence[Entry], connection: Connection) -> list[Entry]:
        """Try each conversation by itself; what still has to wait for a lock does so beside the lane."""
        conversations: dict[UUID, list[Entry]] = {}
        for entry in batch:
            conversations.setdefault(entry.draft.conversation_id, []).append(entry)
        again = []
        for conversation_id, entries in conversations.items():
            try:
                again += await self._attempt(entries, connection)
            except psycopg.errors.LockNotAvailable:
                self._hold(conversation_id, entries)
        return again

    def _hold(self, conversation_id: UUID, entries: list[Entry]) -> None:
        """Take a conversation out of the lane, with all that waits for it already."""
        behind = [entry for entry in self._waiting if entry.draft.conversation_id == conversation_id]
        self._waiting = [entry for entry in self._waiting if entry.draft.conversation_id != conversation_id]
        self._held[conversation_id] = entries + behind
        self._start()

    async def _run_beside(self) -> None:
        """Try the held conversations in turn, each for as long as a lock is waited for, until none is held."""
        connection = Connection()
        try:
            while self._held:
                for conversation_id in list(self._held):
                    await self._try_held(conversation_id, connection)
        finally:
            await connection.close()

    async def _try_held(self, conversation_id: UUID, connection: Connection) -> None:
        entries = self._held[conversation_id]
        batch = list({entry.draft.id: entry for entry in reversed(entries)}.values())[::-1][:BATCH_LENGTH]
        try:
            again = await self._attempt(batch, connection)
        except psycopg.errors.LockNotAvailable:
            again = _still_patient(batch)
        tried = set(batch) - set(again)
        entries[:] = [entry for entry in entries if entry not in tried]
        if not entries:
            del self._held[conversation_id]

    # One attempt

    async def _attempt(self, batch: Sequence[Entry], connection: Connection) -> list[Entry]:
        """Commit a batch and answer it; give what is to be tried again, in order. Raises LockNotAvailable alone."""
        try:
            await self._commit(batch, connection)
        except psycopg.errors.LockNotAvailable:
            raise
        except Exception as error:
            await self._recover(batch, connection, error)
        return _still_patient([entry for entry in batch if not entry.is_answered])

    async def _commit(self, batch: Sequence[Entry], connection: Connection) -> None:
        drafts = [entry.draft for entry in batch]
        began = time.monotonic()
        rows = await connection.run(statement(drafts), parameters(drafts, retention_days=settings.RETENTION_DAYS))
        metrics.appended(len(drafts), seconds=time.monotonic() - began)
        settled = [(entry, Outcome(*row)) for entry, row in zip(batch, rows, strict=True)]
        posts = [post for entry, outcome in settled if (post := _settle(entry, outcome))]
        if posts:
            metrics.MESSAGES.inc(len(posts))
            await publish_soon(posts)
        for entry, outcome in settled:
            if outcome.what == "seen":
                await _answer_repeat(entry, outcome, connection)

    async def _recover(self, batch: Sequence[Entry], connection: Connection, error: Exception) -> None:
        """Make the next attempt possible, or answer everyone if there is to be none."""
        if isinstance(error, COLLISIONS):
            return
        logger.error("a batch of %d could not be appended: %s", len(batch), type(error).__name__)
        if not isinstance(error, psycopg.Error | OSError | TimeoutError):
            for entry in batch:
                entry.give_back()
            return
        if isinstance(error, psycopg.errors.CheckViolation):
            await _make_missing_weeks()
        else:
            for entry in batch:
                entry.unsure = True
            await connection.close()
        await asyncio.sleep(PAUSE)


def _settle(entry: Entry, outcome: Outcome) -> ConversationEvent | None:
    """Answer an entry that is new or refused; give what is to be published of it."""
    try:
        said = settle(entry.draft, outcome)
    except Exception as error:
        entry.refuse(error)
        return None
    if said is None:
        return None
    entry.accept(said)
    return message_created(entry.draft.conversation_id, outcome.epoch, said.message)


async def _answer_repeat(entry: Entry, outcome: Outcome, connection: Connection) -> None:
    """Answer an entry whose id is there already; what we may have stored ourselves unheard is published now."""
    try:
        stored = recognise(entry.draft, await connection.message(entry.draft.id))
        message = message_json(stored, reactions=await connection.reactions(stored))
    except (psycopg.Error, OSError, TimeoutError):
        raise
    except Exception as error:
        entry.refuse(error)
        return
    entry.accept(Said(message if outcome.sees_it else unseen_json(stored), repeated=not entry.unsure))
    if entry.unsure:
        await publish_soon([message_created(entry.draft.conversation_id, outcome.epoch, message)])


def _still_patient(entries: Sequence[Entry]) -> list[Entry]:
    """Give back what has waited too long to its senders; keep the rest."""
    now = time.monotonic()
    for entry in entries:
        if now - entry.since > PATIENCE:
            logger.error("a message could not be stored within %d seconds", PATIENCE)
            entry.give_back()
    return [entry for entry in entries if not entry.is_answered]


async def _make_missing_weeks() -> None:
    logger.critical("no partition for a message; making the missing weeks now")
    try:
        await in_thread(make_partitions)()
    except Exception as error:
        logger.critical("the missing weeks could not be made: %s", type(error).__name__)


_lanes: "WeakKeyDictionary[asyncio.AbstractEventLoop, Lane]" = WeakKeyDictionary()


def lane() -> Lane:
    """The lane of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _lanes:
        _lanes[loop] = Lane()
    return _lanes[loop]
