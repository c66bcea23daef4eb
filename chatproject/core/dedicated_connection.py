"""A connection to PostgreSQL of its own for one kind of statement, beside Django's connections."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from chatproject.core.database import connection_parameters

PLANS_LAST = 60.0
"""Seconds after which prepared plans are made again."""
ANSWER_TIMEOUT = 6.0
"""Seconds after which an answer is not waited for any more: a network may fail without closing the connection."""
SESSION = (
    "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c statement_timeout=5s "
    "-c lock_timeout=250ms"
)


class DedicatedConnection:
    """A connection that is opened when it is needed, and again when it is lost; one user at a time."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._planned_at = 0.0

    async def run(self, sql: str, values: dict[str, object]) -> Sequence[tuple[Any, ...]]:
        """Run one statement in a transaction of its own and fetch its rows."""
        async with asyncio.timeout(ANSWER_TIMEOUT):
            connection = await self._ready()
            cursor = await connection.execute(sql, values, prepare=True)
            return await cursor.fetchall()

    async def close(self) -> None:
        """Close the connection; the next statement opens another."""
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


def array_text(items: Iterable[object]) -> str:
    """Write numbers, ids and plain words as PostgreSQL's array text: it costs the driver nothing, and the statement
    decides its type.
    """
    return "{" + ",".join("NULL" if item is None else str(item) for item in items) + "}"
