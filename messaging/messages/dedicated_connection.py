"""The connections of the lane: they append, and do nothing else."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

from chatproject.core.database import connection_parameters
from messaging.messages.json import REACTIONS, ReactionJSON, reactions_json
from messaging.models import Message

PLANS_LAST = 60.0
PATIENCE = 6.0
"""Seconds after which an answer is not waited for any more: the network may have died without a word."""
SESSION = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c statement_timeout=5s "
    "-c lock_timeout=250ms"
)
COLUMNS = [str(field.column) for field in Message._meta.concrete_fields]
ATTRIBUTES = [field.attname for field in Message._meta.concrete_fields]
BY_ID = f"SELECT {', '.join(COLUMNS)} FROM messaging_message WHERE id = %(id)s"  # noqa: S608 (names of our own)


class Connection:
    """A connection that is made when it is needed, and again when it is lost."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._planned_at = 0.0

    async def run(self, sql: str, values: dict[str, object]) -> Sequence[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and fetch its rows."""
        async with asyncio.timeout(PATIENCE):
            connection = await self._ready()
            cursor = await connection.execute(sql, values, prepare=True)
            return await cursor.fetchall()

    async def message(self, id: UUID) -> Message | None:
        """Read one message as it is stored."""
        rows = await self.run(BY_ID, {"id": id})
        return Message.from_db("default", ATTRIBUTES, rows[0]) if rows else None

    async def reactions(self, message: Message) -> Sequence[ReactionJSON]:
        """Read what others think of a message."""
        rows = await self.run(REACTIONS, {"messages": [message.pk]}) if message.version > message.position else ()
        return reactions_json(rows).get(message.pk, ())

    async def close(self) -> None:
        """Give the connection back; the next statement makes another."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _ready(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            known = connection_parameters()
            known["options"] = f"{known.get('options', '')} {SESSION}"
            self._connection = await psycopg.AsyncConnection.connect(**known, autocommit=True)
            self._planned_at = time.monotonic()
        elif time.monotonic() - self._planned_at > PLANS_LAST:
            # A plan made while the tables were small is kept for ever, and slow once they have grown.
            await self._connection.execute("DISCARD PLANS", prepare=False)
            self._planned_at = time.monotonic()
        return self._connection
