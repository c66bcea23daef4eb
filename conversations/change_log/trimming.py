"""Deleting entries that every follower has seen, and those that are too old for the followers that have not."""

from datetime import timedelta

from django.db import connection, transaction

ENTRIES_KEPT = timedelta(days=7)
"""How long entries wait for a follower that is not run; then it loses its mark, and will have to rebuild."""
DELETED_AT_ONCE = 10_000

IS_NEW = (
    "(e.xid >= pg_snapshot_xmax(mark::pg_snapshot) OR e.xid = ANY(ARRAY(SELECT pg_snapshot_xip(mark::pg_snapshot))))"
)
# From the lowest `xmax` on, every entry is new to somebody; only below it there is something to look for.
SEEN_BY_ALL = f"""
DELETE FROM conversations_changelogentry WHERE seq IN (
    SELECT e.seq FROM conversations_changelogentry e
    WHERE e.xid < COALESCE(
            (SELECT pg_snapshot_xmax(mark::pg_snapshot) AS xmax FROM conversations_followermark
                WHERE mark IS NOT NULL ORDER BY xmax LIMIT 1),
            pg_snapshot_xmax(pg_current_snapshot())
        )
        AND NOT EXISTS (SELECT FROM conversations_followermark WHERE mark IS NOT NULL AND {IS_NEW})
    ORDER BY e.xid LIMIT %s
)
"""  # noqa: S608 (parts of our own)
# The entry that a follower reads first tells how late it is; to look at all of them would take too long just when it is
# late. One that is taking a step moves on, and is not waited for.
LOSE_MARKS = """
UPDATE conversations_followermark SET mark = NULL, rebuilt_conversation = NULL, rebuilt_version = NULL
WHERE name IN (
    SELECT name FROM conversations_followermark
    WHERE mark IS NOT NULL AND clock_timestamp() - make_interval(secs => %s) > LEAST(
        (SELECT e.at FROM conversations_changelogentry e
            WHERE e.xid = ANY(ARRAY(SELECT pg_snapshot_xip(mark::pg_snapshot))) ORDER BY e.xid LIMIT 1),
        (SELECT e.at FROM conversations_changelogentry e
            WHERE e.xid >= pg_snapshot_xmax(mark::pg_snapshot) ORDER BY e.xid LIMIT 1)
    )
    FOR UPDATE SKIP LOCKED
)
"""
# Whoever deletes must know of every mark, also of one that is being set and is not committed yet.
WAIT_FOR_TRIMMING = "SELECT pg_advisory_xact_lock_shared(hashtext('change log trimming'))"
TRY_TRIMMING = "SELECT pg_try_advisory_xact_lock(hashtext('change log trimming'))"


def trim() -> None:
    """Delete the entries that no follower needs any more, thousands in each transaction."""
    while trim_some():
        pass


def trim_some() -> bool:
    """Do the same for some thousands of them; return whether there may be more."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOSE_MARKS, [ENTRIES_KEPT.total_seconds()])
    return _delete_some() >= DELETED_AT_ONCE


def wait_for_trimming() -> None:
    """Keep entries from being deleted until the end of this transaction, which sets a mark for the first time."""
    with connection.cursor() as cursor:
        cursor.execute(WAIT_FOR_TRIMMING)


def _delete_some() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TRY_TRIMMING)
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(SEEN_BY_ALL, [DELETED_AT_ONCE])
        return int(cursor.rowcount)
