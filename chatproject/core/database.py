"""Database connections outside of Django's, and waiting without holding one."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError

P = ParamSpec("P")
T = TypeVar("T")


def connection_parameters() -> dict[str, Any]:
    """Return psycopg's keyword arguments for a plain connection to the database that Django uses."""
    known = dict(connections["default"].get_connection_params())
    return {name: known[name] for name in known if name not in {"cursor_factory", "context", "prepare_threshold"}}


@contextmanager
def snapshot() -> Iterator[datetime]:
    """Read from one snapshot of the database, and yield a time not later than it; an open transaction is reused."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT transaction_timestamp()")
        (began,) = cursor.fetchone()
        yield began


@contextmanager
def without_connection() -> Iterator[None]:
    """Return this thread's connection to the pool for the duration of a wait; the next query takes one again.

    Every wait for anything other than the database belongs inside: a thread that waits with a connection withholds it
    from everybody else. TransactionManagementError inside a transaction, which would hold its locks for as long.
    """
    if not connection.in_atomic_block:
        if connection.connection is not None:
            connection.close()
    # The transaction around a test does not count, as in Django's own `atomic(durable=True)`.
    elif not connection.atomic_blocks[-1]._from_testcase:  # type: ignore[attr-defined] # unknown to the stubs
        raise TransactionManagementError("Wait before or after a transaction, not inside it.")
    yield


def now() -> datetime:
    """Return the time of the database: the clocks of hosts differ, and times compared across hosts need one clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Make a function that uses Django's database callable from asynchronous code, in one of several threads.

    Channels would use a single thread for all sockets, and one that waits for a lock would delay everybody.
    """
    threaded: Callable[P, Coroutine[Any, Any, T]] = database_sync_to_async(work, thread_sensitive=False)
    return threaded
