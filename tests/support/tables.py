"""Emptying the tables after tests that commit."""

import time
from functools import cache

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

ROOTS = [
    "accounts_user",
    "accounts_session",
    "conversations_conversation",
    "conversations_participant",
    "conversations_changelogentry",
    "conversations_followermark",
    "messaging_message",
    "messaging_messagestatus",
    "messaging_reaction",
    "messaging_blob",
    "messaging_messagecount",
    "procrastinate_jobs",
    "django_session",
]
"""The tables that tests fill; whatever refers to them is emptied with them."""

WITH_THOSE_BELOW = """
WITH RECURSIVE below (oid) AS (
    SELECT unnest(%s::regclass[])::oid
    UNION SELECT c.conrelid FROM pg_constraint c JOIN below ON c.confrelid = below.oid WHERE c.contype = 'f'
)
SELECT oid::regclass::text FROM below JOIN pg_class USING (oid) WHERE NOT relispartition
"""


def empty_tables(*, within: float = 15) -> None:
    """Delete every row as soon as nobody writes any more.

    TRUNCATE would make new files for all tables and indexes, of which every connection would then have to learn.
    """
    deadline = time.monotonic() + within
    while not _emptied():
        assert time.monotonic() < deadline, "someone still writes, long after the test"
        time.sleep(0.01)


def _emptied() -> bool:
    names = _tables()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Who waited for one table while holding another might wait for a server that does the same.
            cursor.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE NOWAIT")
            # The audit log lets nobody delete from it, but for who may switch its trigger off.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(";".join(f"DELETE FROM {name}" for name in names))  # noqa: S608 (by the catalogue)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise
    return True


@cache
def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(WITH_THOSE_BELOW, [ROOTS])
        return [name for (name,) in cursor.fetchall()]
