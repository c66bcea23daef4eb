"""Conversations whose row another transaction has locked for longer than the group commit waits for a lock.

Their messages leave the group commit, so that nobody else waits for that lock, and are tried on a second connection,
conversation by conversation, in their order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from uuid import UUID

import psycopg

from chatproject.core.dedicated_connection import DedicatedConnection
from messaging.messages.outcome import PendingSend, without_expired

Attempt = Callable[[Sequence[PendingSend], DedicatedConnection], Awaitable[list[PendingSend]]]
"""Commits a batch and returns what is to be tried again, in order; raises LockNotAvailable."""


class BlockedConversations:
    """What waits for locks, by conversation."""

    def __init__(self, attempt: Attempt, *, batch_length: int) -> None:
        self._attempt = attempt
        self._batch_length = batch_length
        self._waiting: dict[UUID, list[PendingSend]] = {}
        self.task: asyncio.Task[None] | None = None

    def __contains__(self, conversation_id: UUID) -> bool:
        return conversation_id in self._waiting

    def append(self, pending: PendingSend) -> None:
        """Put a message of a blocked conversation behind those that wait already."""
        self._waiting[pending.draft.conversation_id].append(pending)
        self._start()

    def block(self, conversation_id: UUID, pending: list[PendingSend]) -> None:
        """Make a conversation a blocked one, with all its messages that wait."""
        self._waiting[conversation_id] = pending
        self._start()

    def _start(self) -> None:
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._run(), context=Context())

    async def _run(self) -> None:
        """Try the conversations in turn, each for as long as a lock is waited for, until none is blocked."""
        connection = DedicatedConnection()
        try:
            while self._waiting:
                for conversation_id in list(self._waiting):
                    await self._try(conversation_id, connection)
        finally:
            await connection.close()

    async def _try(self, conversation_id: UUID, connection: DedicatedConnection) -> None:
        waiting = self._waiting[conversation_id]
        # Of two sends with the same id the second has to wait for the first.
        firsts = {pending.draft.id: pending for pending in reversed(waiting)}
        batch = list(firsts.values())[::-1][: self._batch_length]
        try:
            again = await self._attempt(batch, connection)
        except psycopg.errors.LockNotAvailable:
            again = without_expired(batch)
        tried = set(batch) - set(again)
        waiting[:] = [pending for pending in waiting if pending not in tried]
        if not waiting:
            del self._waiting[conversation_id]
