"""What a follower is, and its steps: each is one transaction, with what the follower writes and its new mark."""

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction

from conversations.change_log import marks
from conversations.change_log.entries import ENTRIES_AT_ONCE, Change, read_unseen
from conversations.change_log.trimming import wait_for_trimming
from conversations.models import FollowerMark

CONVERSATIONS_AT_ONCE = 500
VERSIONS_AT_ONCE = 10_000
"""Conversations, and versions of one conversation, that one step of rebuilding covers."""
FIRST = UUID(int=0)

LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('follower ' || %s, 0))"
# In another database than the one it was made in, or in another generation of it, a mark means nothing. The number of
# the cluster is part of a physical copy; the number of the database differs in each copy made from a dump.
ORIGIN = """
SELECT (SELECT system_identifier FROM pg_control_system()) || ':' || d.oid || ':' || g.number
FROM pg_database d CROSS JOIN chatproject_generation g WHERE d.datname = current_database()
"""
NEXT_CONVERSATIONS = """
SELECT s.snapshot::text, c.id, c.version FROM (SELECT pg_current_snapshot() AS snapshot) s LEFT JOIN (
    SELECT id, version FROM conversations_conversation WHERE (id, version) > (%s, %s) ORDER BY id LIMIT %s
) c ON true
ORDER BY c.id
"""
# Of another database, its transactions may have numbers that are still to come here.
FORGET_FUTURE = "DELETE FROM conversations_changelogentry WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())"


class Follower(Protocol):
    """Something that is kept up to date from the change log.

    Both methods run in a transaction that also saves the mark: what they write there happens once. What they do
    elsewhere may happen again.
    """

    name: str
    """At most 50 characters; it never changes, because the mark is found by it."""

    def reset(self) -> None:
        """Delete everything it keeps: `handle` is about to be called for every conversation, from version 0."""

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        """Apply changes. Those of one conversation do not overlap, and come in the order of versions.

        A row belongs to a change if the version at which it last changed is above `after` and not above `through`.
        The database may be further already: then that is another change, which comes later, as does what `handle`
        changes itself. No statement of these changes began before `since`; None while everything is rebuilt.
        """


class Step(enum.Enum):
    """What came of a step."""

    DONE = "done"
    """There is nothing more for now."""
    MORE = "more"
    """There is more to do at once."""
    ELSEWHERE = "elsewhere"
    """Another process is taking a step of the same follower."""


def step(follower: Follower) -> Step:
    """Handle the next changes, or rebuild the next part if the follower has no mark that means something here."""
    with transaction.atomic():
        if not _value(LOCK, [follower.name]):
            return Step.ELSEWHERE
        # The row is locked, so that nobody takes the mark away, and then the entries, while they are read.
        row, _ = FollowerMark.objects.select_for_update().get_or_create(name=follower.name)
        if row.mark is None or row.origin != _value(ORIGIN):
            _begin_rebuilding(follower, row)
        has_more = _follow(follower, row) if row.rebuilt_conversation is None else _rebuild(follower, row)
    return Step.MORE if has_more else Step.DONE


def _follow(follower: Follower, row: FollowerMark) -> bool:
    unseen = read_unseen(str(row.mark), most=ENTRIES_AT_ONCE)
    if unseen.since:
        follower.handle(unseen.changes, since=unseen.since)
        row.mark = _without_own_changes(unseen.mark)
        # Where nothing is new the mark stays, so that a step at rest writes nothing.
        row.save()
    return unseen.has_more


def _begin_rebuilding(follower: Follower, row: FollowerMark) -> None:
    """Forget everything; what changes from now on is found by the new mark when all has been rebuilt."""
    wait_for_trimming()
    with connection.cursor() as cursor:
        cursor.execute(FORGET_FUTURE)
    follower.reset()
    row.mark, row.origin = _value("SELECT pg_current_snapshot()::text"), _value(ORIGIN)
    row.rebuilt_conversation, row.rebuilt_version = FIRST, 0


def _rebuild(follower: Follower, row: FollowerMark) -> bool:
    """Handle the next conversations in the order of their ids, and what has changed in those before them.

    Both are read as of one snapshot, which becomes the mark: so no change is handled twice, and none is left out.
    """
    snapshot, conversations = _next_conversations(row)
    unseen = read_unseen(str(row.mark), as_of=snapshot, most=ENTRIES_AT_ONCE)
    row.mark = _without_own_changes(unseen.mark)
    changes = [change for change in unseen.changes if _is_rebuilt(change, row)]
    if not unseen.has_more:
        changes += _next_parts(row, conversations)
    if changes:
        follower.handle(changes, since=None)
    row.save()
    return True


def _is_rebuilt(change: Change, row: FollowerMark) -> bool:
    """Tell whether a change is not part of what is still to be rebuilt."""
    rebuilt = row.rebuilt_conversation or FIRST
    return change.conversation_id < rebuilt or (change.conversation_id == rebuilt and change.through is None)


def _next_conversations(row: FollowerMark) -> tuple[str, list[tuple[UUID, int]]]:
    """Read a snapshot, and as of it the ids and versions of conversations of which something is to be rebuilt."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_CONVERSATIONS, [row.rebuilt_conversation, row.rebuilt_version, CONVERSATIONS_AT_ONCE])
        rows = cursor.fetchall()
    return rows[0][0], [(id, version) for _, id, version in rows if id is not None]


def _next_parts(row: FollowerMark, conversations: Sequence[tuple[UUID, int]]) -> list[Change]:
    """Return what a step rebuilds of these conversations, and move the row on; one that is long takes several steps."""
    parts: list[Change] = []
    versions = 0
    for id, version in conversations:
        after = row.rebuilt_version or 0 if id == row.rebuilt_conversation else 0
        through = min(version, after + VERSIONS_AT_ONCE - versions)
        if through > after:
            parts.append(Change(id, after, through))
        row.rebuilt_conversation, row.rebuilt_version = id, through
        versions += through - after
        if versions >= VERSIONS_AT_ONCE:
            break
    if not conversations:
        row.rebuilt_conversation = row.rebuilt_version = None
    return parts


def _without_own_changes(mark: str) -> str:
    """Return a mark to which all that `handle` changes in this transaction is new; a snapshot would see it."""
    return marks.without(mark, xid=int(_value("SELECT pg_current_xact_id()::text")))


def _value(sql: str, values: Sequence[Any] = ()) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]
