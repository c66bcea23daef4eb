"""Things that happen at the same moment, for real: threads, and connections beside Django's own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

import psycopg
from django.db import connection

from chatproject.core.database import connection_parameters

T = TypeVar("T")


def together(*calls: Callable[[], T]) -> list[T]:
    """Run calls at once, each in a thread with a connection of its own; give what they return, or raise as they do."""
    return [future.result() for future in ended_together(*calls)]


def ended_together(*calls: Callable[[], T]) -> "list[Future[T]]":
    """Run calls at once and wait until all have ended, well or not."""
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return on_own_connection(call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return [pool.submit(run, call) for call in calls]


def on_own_connection(call: Callable[[], T]) -> T:
    """Run a call in a thread that gives its connection back."""
    try:
        return call()
    finally:
        connection.close()


@contextmanager
def another_connection(**options: Any) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of its own to the tests' database, in a transaction that the test ends."""
    with psycopg.connect(**connection_parameters(), **options) as other:
        yield other
        other.rollback()


def until_blocked(count: int = 1, *, within: float = 20) -> None:
    """Wait until a number of transactions on the tests' database wait for a lock that another one holds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            # Within a transaction PostgreSQL shows again and again what it showed first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.005)
    raise TimeoutError("nobody waits")
