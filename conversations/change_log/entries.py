"""Reading the log: the entries that a mark did not see, and the mark of someone who has seen them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from conversations.change_log.marks import extended

ENTRIES_AT_ONCE = 1000
"""Entries that are read at once, and a few more where the last transaction has several."""

# Without `as_of`, the snapshot of this statement decides both what it sees and the mark that is returned with it.
UNSEEN = """
WITH now AS MATERIALIZED (
    SELECT COALESCE(%(as_of)s::pg_snapshot, pg_current_snapshot()) AS snapshot
), unseen AS (
    SELECT e.* FROM conversations_changelogentry e CROSS JOIN now
    WHERE e.xid = ANY(ARRAY(SELECT pg_snapshot_xip(%(mark)s::pg_snapshot)))
        AND pg_visible_in_snapshot(e.xid, now.snapshot)
    UNION ALL (
        SELECT e.* FROM conversations_changelogentry e CROSS JOIN now
        WHERE e.xid >= pg_snapshot_xmax(%(mark)s::pg_snapshot) AND pg_visible_in_snapshot(e.xid, now.snapshot)
        ORDER BY e.xid FETCH FIRST %(most)s ROWS WITH TIES
    )
)
SELECT now.snapshot::text, e.xid::text, e.at, e.conversation_ids, e.from_versions, e.through_versions
FROM now LEFT JOIN (SELECT * FROM unseen ORDER BY xid FETCH FIRST %(most)s ROWS WITH TIES) e ON true
ORDER BY e.xid
"""


class Change(NamedTuple):
    """A conversation went from version `after` to `through`; None: it was deleted."""

    conversation_id: UUID
    after: int
    through: int | None


class Unseen(NamedTuple):
    """What a mark did not see: the changes, merged, and the mark of someone who has seen them."""

    changes: Sequence[Change]
    mark: str
    has_more: bool
    since: datetime | None
    """The begin of the oldest statement of these, by the database's clock; None if there is none."""


def read_unseen(mark: str, *, as_of: str | None = None, most: int = ENTRIES_AT_ONCE) -> Unseen:
    """Read what a mark did not see, the oldest transactions first; with `as_of` only what that snapshot sees."""
    with connection.cursor() as cursor:
        cursor.execute(UNSEEN, {"mark": mark, "as_of": as_of, "most": most})
        rows = cursor.fetchall()
    snapshot, last_xid = rows[0][0], rows[-1][1]
    if last_xid is None:
        return Unseen((), snapshot, has_more=False, since=None)
    has_more = len(rows) >= most
    return Unseen(
        changes=merged(change for row in rows for change in map(Change, *row[3:])),
        mark=extended(mark, snapshot, through=int(last_xid)) if has_more else snapshot,
        has_more=has_more,
        since=min(row[2] for row in rows),
    )


def merged(changes: Iterable[Change]) -> list[Change]:
    """Merge changes that follow one another, whatever their order; drop those that changed no version.

    A conversation may keep several: what lies between them is seen at another time, earlier or later.
    """
    found: list[Change] = []
    for change in sorted(changes, key=_by_version):
        if found and (change.conversation_id, change.after) == (found[-1].conversation_id, found[-1].through):
            found[-1] = found[-1]._replace(through=change.through)
        elif change.after != change.through:
            found.append(change)
    return found


def _by_version(change: Change) -> tuple[UUID, int, bool, int]:
    return change.conversation_id, change.after, change.through is None, change.through or 0
