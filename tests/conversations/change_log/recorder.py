"""A follower that remembers what it was given, in a table, so that a failed step takes its memory back."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import connection

from conversations.change_log.entries import Change
from conversations.change_log.follower import Step, step


class Died(Exception):
    """The follower's process ended in the middle of a step."""


class Recorder:
    """Records each change; dies in a step when `is_dying` is set, after it has written."""

    def __init__(self, name: str = "recorder") -> None:
        self.name = name
        self.is_dying = False

    def reset(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM recorded_changes WHERE follower = %s", [self.name])

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        with connection.cursor() as cursor:
            rows = [(self.name, *change) for change in changes]
            cursor.executemany("INSERT INTO recorded_changes VALUES (%s, %s, %s, %s)", rows)
        if self.is_dying:
            raise Died

    def catch_up(self) -> None:
        """Take steps until there is nothing more."""
        while step(self) is Step.MORE:
            pass

    def recorded(self) -> dict[UUID, list[tuple[int, int | None]]]:
        """Return what was recorded of each conversation, in the order of versions."""
        found = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conversation_id, after, through FROM recorded_changes WHERE follower = %s "
                "ORDER BY after, through NULLS LAST",
                [self.name],
            )
            for id, after, through in cursor.fetchall():
                found[id].append((after, through))
        return dict(found)


@contextmanager
def table_of_recorders() -> Iterator[None]:
    """Have the table for as long as the block lasts."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE recorded_changes (follower text, conversation_id uuid, after int8, through int8)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE recorded_changes")


def is_whole(recorded: Sequence[tuple[int, int | None]], version: int) -> bool:
    """Tell whether changes lead from 0 to a version without a gap and without one version twice."""
    at: int | None = 0
    for after, through in recorded:
        if after != at:
            return False
        at = through
    return at == version


def is_deleted(recorded: Sequence[tuple[int, int | None]]) -> bool:
    """Tell whether changes end with the deletion, and all before it are whole; of the last ones nobody need know."""
    *before, (after, through) = recorded
    known = before[-1][1] if before else 0
    return through is None and known is not None and known <= after and is_whole(before, known)
