"""How to reach the database beside Django's own connections, and how to wait without one."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError

P = ParamSpec("P")
T = TypeVar("T")


def connection_parameters() -> dict[str, Any]:
    """Give psycopg's keyword arguments for a plain connection to the database that Django uses now."""
    known = dict(connections["default"].get_connection_params())
    return {name: known[name] for name in known if name not in {"cursor_factory", "context", "prepare_threshold"}}


@contextmanager
def snapshot() -> Iterator[datetime]:
    """Read the database as at one moment, and give a time that is no later; inside a transaction, as that does."""
    is_whole = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_whole:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT transaction_timestamp()")
        (began,) = cursor.fetchone()
        yield began


@contextmanager
def without_connection() -> Iterator[None]:
    """Return this thread's connection to the pool for the length of a wait; the next query checks one out again.

    Every wait for anything but the database belongs inside: whoever waits with a connection keeps it from everybody
    else. TransactionManagementError inside a transaction, which would keep its locks for as long.
    """
    if not connection.in_atomic_block:
        if connection.connection is not None:
            connection.close()
    # The transaction around a test does not count, as in Django's own `atomic(durable=True)`.
    elif not connection.atomic_blocks[-1]._from_testcase:  # type: ignore[attr-defined] # unknown to the stubs
        raise TransactionManagementError("Wait before or after a transaction, not inside it.")
    yield


def now() -> datetime:
    """Ask the database for its time: hosts disagree, and what is compared across them goes by one clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def array_text(items: Iterable[object]) -> str:
    """Write numbers, ids and plain words as PostgreSQL's array text: it costs the driver nothing, and its type is what
    the statement says.
    """
    return "{" + ",".join("NULL" if item is None else str(item) for item in items) + "}"


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let asynchronous code call what uses Django's database, in a thread of several.

    Channels would use one thread for all sockets, and one that waits for a lock would hold up everybody.
    """
    threaded: Callable[P, Coroutine[Any, Any, T]] = database_sync_to_async(work, thread_sensitive=False)
    return threaded
