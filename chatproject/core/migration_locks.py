"""Locks of migrations: short waits, repeated with pauses, and one migrating server at a time.

A statement that changes a table waits in the same queue as those that use it, and everybody who comes later waits
behind it. So it waits for a fraction of a second only, gives up its place, and tries again a little later.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.db import OperationalError, transaction
from psycopg import sql

T = TypeVar("T")

LOCK_TIMEOUT_MS = 250
"""How long a statement may wait for a lock while others wait behind it."""
BRIEF_MS = 750
"""How long a statement may take that locks a table and its partitions, one after another."""
RETRY_SECONDS = 300.0
"""The sum of all pauses after which a migration gives up."""
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.25, 10.0, 1.5
POLL_SECONDS = 0.5
"""How often a server asks whether another one has finished."""
LOCK = "hashtext('parley migrations')"

BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
OPEN_TRANSACTIONS = """
SELECT pid, coalesce(state, 'unknown'), extract(epoch FROM now() - xact_start)::int FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND now() - xact_start > interval '250 milliseconds'
ORDER BY xact_start LIMIT 5
"""


class LockNotObtained(Exception):
    """A lock could not be had in all the time that a migration may take for that."""


def is_busy(error: BaseException) -> bool:
    """Tell whether a database error says that someone else holds a lock, so that another attempt may succeed."""
    return isinstance(error.__cause__, BUSY)


def is_busy_or_slow(error: BaseException) -> bool:
    """Tell the same of a statement that has a time limit for all its locks together."""
    return isinstance(error.__cause__, (*BUSY, psycopg.errors.QueryCanceled))


def retried(
    work: Callable[[], T], *, on: Any, may_retry: Callable[[BaseException], bool] = is_busy, report: Any = None
) -> T:
    """Do something that may be repeated until it gets its locks, with growing pauses outside of any transaction.

    LockNotObtained, with a list of the transactions that are open, if that took too long.
    """
    for pause in pauses():
        try:
            return work()
        except OperationalError as error:
            if not may_retry(error):
                raise
        if report:
            report(f"The tables are in use; the next attempt is in {pause:.1f} s.")
        time.sleep(pause)
    raise LockNotObtained(_explanation(on))


def pauses() -> Iterator[float]:
    """Yield the pauses after one attempt after another, until their sum is too large."""
    pause, total = FIRST_PAUSE, 0.0
    while total <= RETRY_SECONDS:
        yield pause
        total, pause = total + pause, min(pause * GROWTH, LONGEST_PAUSE)


def _explanation(on: Any) -> str:
    with on.cursor() as cursor:
        cursor.execute(OPEN_TRANSACTIONS)
        found = [f"{pid} ({state}, for {seconds} s)" for pid, state, seconds in cursor.fetchall()]
    return (
        f"A migration found a table in use at every attempt for {RETRY_SECONDS / 60:.0f} minutes. Nothing is broken, "
        "and what was done is kept: end the long transaction that is in the way, then run the same command again. "
        f"Long transactions by process id of the database: {', '.join(found) or 'none any more'}."
    )


def briefly(on: Any, *statements: str) -> None:
    """Execute statements that lock a table for a moment, in one short transaction that is repeated until it succeeds.

    They must do no work that grows with the data.
    """

    def attempt() -> None:
        with transaction.atomic(using=on.alias), on.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            cursor.execute(f"SET LOCAL statement_timeout = {BRIEF_MS}")
            for statement in statements:
                cursor.execute(statement)

    retried(attempt, on=on, may_retry=is_busy_or_slow)


def concurrently(on: Any, statement: str) -> None:
    """Execute a statement that waits for others without making anybody wait, however long that takes."""
    with lock_timeout(on, 0), on.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def lock_timeout(on: Any, milliseconds: int) -> Iterator[None]:
    """Set the connection's lock timeout, and put it back in the end."""
    with on.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(milliseconds)])
    try:
        yield
    finally:
        # A connection that was lost has no setting to put back.
        if on.connection is not None and not on.connection.closed:
            with on.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [before])


@contextmanager
def alone(on: Any, *, report: Callable[[str], Any]) -> Iterator[None]:
    """Be the only one who migrates this database; wait for another server that does.

    The lock belongs to the connection that migrates, and so lasts as long as its statements, even if our process dies.
    The attempts are separate: a statement that waits would have a snapshot, for which a concurrent index build waits.
    """
    reported = False
    while not _try_lock(on):
        if not reported:
            report("Another server is migrating this database; waiting until it has finished.")
        reported = True
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        if on.connection is not None and not on.connection.closed:
            with on.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({LOCK})")


def _try_lock(on: Any) -> bool:
    with on.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({LOCK})")
        return bool(cursor.fetchone()[0])


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return sql.Identifier(name).as_string(None)
