"""Snapshots of the database for the hub: queries that all see it at one moment.

They run on a small pool of asynchronous connections of their own, so that no reconciliation or repair waits for a
thread.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool

from chatproject.core.database import connection_parameters
from chatproject.core.one_per_loop import OnePerLoop

Run = Callable[..., Awaitable[list[Any]]]


@asynccontextmanager
async def read_snapshot() -> AsyncIterator[Run]:
    """Give a function that runs queries on one snapshot; it returns rows as named tuples."""
    pool = _pools()
    if pool.closed:
        await pool.open()
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:

        async def run(sql: str, *values: object) -> list[Any]:
            await cursor.execute(sql, values[0] if values and isinstance(values[0], dict) else values)
            rows: list[Any] = await cursor.fetchall()
            return rows

        yield run


def _make_pool() -> AsyncConnectionPool:
    return AsyncConnectionPool(
        kwargs=connection_parameters() | {"row_factory": namedtuple_row, "autocommit": False},
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
        min_size=1,
        max_size=4,
        # After an outage the pool would wait longer before each attempt; callers retry soon by themselves.
        timeout=2.5,
        reconnect_timeout=1,
        open=False,
        name="snapshots",
    )


_pools = OnePerLoop(_make_pool)


async def close_pool() -> None:
    """Close the connections of this event loop."""
    if pool := _pools.pop():
        await pool.close()


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
