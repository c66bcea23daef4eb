"""The group commit: messages of many sockets of one process, stored by one statement and one commit at a time.

While a commit is in flight the next batch gathers, so a quiet server answers at once and a busy one commits less
often. A send is answered when its commit is known. Where the outcome of a commit is not known the batch is retried:
the same ids are the same rows. A conversation whose row is locked by someone else is tried apart from the others.
Within a conversation messages are stored in the order in which they were submitted.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextvars import Context
from uuid import UUID

import psycopg
from django.conf import settings

from chatproject.core import metrics
from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.realtime import publish_soon
from messaging.messages.append_sql import parameters, statement
from messaging.messages.blocked_conversations import BlockedConversations
from messaging.messages.draft import Draft
from messaging.messages.events import message_created
from messaging.messages.outcome import AppendOutcome, OnResult, PendingSend, SendResult, without_expired
from messaging.messages.repeat import read_repeat
from messaging.retention.missing_partition import is_missing_partition, make_missing_partitions_soon

logger = logging.getLogger(__name__)

BATCH_LENGTH = 256
GATHERING = 0.001
"""Seconds between two commits while messages keep coming. A commit of ten messages costs little more than a commit of
one, and on a machine that is busy with small commits everybody waits longer than this.
"""
ENOUGH = 32
"""Messages for which a commit need not wait."""
PAUSE = 0.1
COLLISIONS = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected)
"""Two servers stored the same id at once, or two batches locked each other: an immediate retry resolves both."""


class GroupCommit:
    """The messages that wait for a commit in one event loop."""

    def __init__(self) -> None:
        self._waiting: list[PendingSend] = []
        self._blocked = BlockedConversations(self._attempt, batch_length=BATCH_LENGTH)
        self._running: asyncio.Task[None] | None = None
        self._connection = DedicatedConnection()

    def submit(self, draft: Draft, on_result: OnResult) -> None:
        """Store a message with one of the next commits; `on_result` is called when it is durable, or has failed."""
        pending = PendingSend(draft, on_result)
        if draft.conversation_id in self._blocked:
            self._blocked.append(pending)
            return
        self._waiting.append(pending)
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run(), context=Context())

    async def drain(self) -> None:
        """Wait until everything that was submitted is answered, then close the connection."""
        while tasks := [task for task in (self._running, self._blocked.task) if task is not None and not task.done()]:
            await asyncio.wait(tasks)
        await self._connection.close()

    async def _run(self) -> None:
        while batch := self._next_batch():
            try:
                again = await self._attempt(batch, self._connection)
            except psycopg.errors.LockNotAvailable:
                again = await self._attempt_by_conversation(batch)
            self._put_back(again)
            if 0 < len(self._waiting) < ENOUGH:
                await asyncio.sleep(GATHERING)

    def _next_batch(self) -> list[PendingSend]:
        """Take what has gathered; of two sends with the same id the second has to wait for the first."""
        batch: dict[UUID, PendingSend] = {}
        later: list[PendingSend] = []
        for pending in self._waiting:
            if pending.draft.id in batch or len(batch) >= BATCH_LENGTH:
                later.append(pending)
            else:
                batch[pending.draft.id] = pending
        self._waiting = later
        return list(batch.values())

    async def _attempt_by_conversation(self, batch: Sequence[PendingSend]) -> list[PendingSend]:
        """Try each conversation of a batch by itself, so that only the locked ones have to wait."""
        conversations: dict[UUID, list[PendingSend]] = {}
        for pending in batch:
            conversations.setdefault(pending.draft.conversation_id, []).append(pending)
        again = []
        for conversation_id, part in conversations.items():
            try:
                again += await self._attempt(part, self._connection)
            except psycopg.errors.LockNotAvailable:
                self._block(conversation_id, part)
        return again

    def _block(self, conversation_id: UUID, first: list[PendingSend]) -> None:
        """Let a locked conversation wait elsewhere, with all that was submitted for it since."""
        behind = [pending for pending in self._waiting if pending.draft.conversation_id == conversation_id]
        self._waiting = [pending for pending in self._waiting if pending.draft.conversation_id != conversation_id]
        self._blocked.block(conversation_id, first + behind)

    def _put_back(self, again: Sequence[PendingSend]) -> None:
        """Put what is to be tried again before everything else, in its order."""
        for pending in again:
            if pending.draft.conversation_id in self._blocked:
                self._blocked.append(pending)
        self._waiting[:0] = [pending for pending in again if pending.draft.conversation_id not in self._blocked]

    async def _attempt(self, batch: Sequence[PendingSend], connection: DedicatedConnection) -> list[PendingSend]:
        """Commit a batch and answer it; return what is to be tried again, in order. Raises LockNotAvailable alone."""
        try:
            await _commit(batch, connection)
        except psycopg.errors.LockNotAvailable:
            raise
        except Exception as error:
            await _recover(batch, connection, error)
        return without_expired(batch)


async def _commit(batch: Sequence[PendingSend], connection: DedicatedConnection) -> None:
    drafts = [pending.draft for pending in batch]
    began = time.monotonic()
    rows = await connection.run(statement(drafts), parameters(drafts, retention_days=settings.RETENTION_DAYS))
    metrics.APPEND.observe(time.monotonic() - began)
    metrics.BATCH.observe(len(drafts))
    outcomes = [(pending, AppendOutcome(*row)) for pending, row in zip(batch, rows, strict=True)]
    events = [event for pending, outcome in outcomes if (event := pending.complete(outcome))]
    if events:
        metrics.MESSAGES.inc(len(events))
        await publish_soon(events)
    for pending, outcome in outcomes:
        if outcome.status == "repeated":
            await _answer_repeat(pending, outcome, connection)


async def _answer_repeat(pending: PendingSend, outcome: AppendOutcome, connection: DedicatedConnection) -> None:
    """Answer a send whose id is stored already. If an earlier try of ours may have stored it, publish it now."""
    draft = pending.draft
    try:
        message, shown = await read_repeat(draft, connection)
    except (psycopg.Error, OSError, TimeoutError):
        raise
    except Exception as error:
        pending.answer(error)
        return
    pending.answer(SendResult(shown, repeated=not pending.may_be_stored))
    if pending.may_be_stored:
        await publish_soon([message_created(draft.conversation_id, outcome.epoch, message)])


async def _recover(batch: Sequence[PendingSend], connection: DedicatedConnection, error: Exception) -> None:
    """Make the next attempt possible, or answer every sender if there is to be none."""
    if isinstance(error, COLLISIONS):
        return
    logger.error("a batch of %d could not be appended: %s", len(batch), type(error).__name__)
    if not isinstance(error, psycopg.Error | OSError | TimeoutError):
        for pending in batch:
            pending.give_up()
        return
    if is_missing_partition(error):
        await make_missing_partitions_soon()
    else:
        for pending in batch:
            pending.may_be_stored = True
        await connection.close()
    await asyncio.sleep(PAUSE)


group_commit = OnePerLoop(GroupCommit)
"""The group commit of the running event loop."""
