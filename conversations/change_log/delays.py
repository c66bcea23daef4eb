"""How far followers are behind: for their metrics, and to find out which of them have something to do."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection

# The oldest entry that a mark did not see: those of transactions that were running then come before all others.
DELAYS = """
SELECT n.name, f.mark IS NULL OR f.rebuilt_conversation IS NOT NULL,
    COALESCE(extract(epoch FROM clock_timestamp() - COALESCE(late.at, next.at)), 0)::float
FROM unnest(%(names)s::text[]) AS n(name) LEFT JOIN conversations_followermark f ON f.name = n.name
LEFT JOIN LATERAL (
    SELECT e.at FROM conversations_changelogentry e
    WHERE e.xid = ANY(ARRAY(SELECT pg_snapshot_xip(f.mark::pg_snapshot))) ORDER BY e.xid LIMIT 1
) late ON true
LEFT JOIN LATERAL (
    SELECT e.at FROM conversations_changelogentry e
    WHERE e.xid >= COALESCE(pg_snapshot_xmax(f.mark::pg_snapshot), '0'::xid8) ORDER BY e.xid LIMIT 1
) next ON true
"""


class Delay(NamedTuple):
    """How far a follower is behind."""

    follower: str
    is_rebuilding: bool
    seconds: float
    """Since the begin of the oldest statement that it has not seen the changes of; 0 if it has seen all."""


def delays(names: Iterable[str], *, on: Any = None) -> list[Delay]:
    """Read how far followers are behind, by the database's clock.

    One that never ran rebuilds as soon as it does; it is behind for as long as the oldest entry waits.
    """
    with (on or connection).cursor() as cursor:
        cursor.execute(DELAYS, {"names": list(names)})
        return [Delay(*row) for row in cursor.fetchall()]
