"""How to reach the database beside Django's own connections, and from code that must not wait."""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import connection, connections, transaction

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
