"""The weeks that messages lie in: one partition each, made ahead of time.

An id of version 7 begins with its time, so a range of ids is a range of time, and to forget a week is to drop a table.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.migrations.operations import CreateModel
from django.utils import timezone
from psycopg import sql

from accounts.ids import first_id_at

WEEK = timedelta(weeks=1)
WEEKS_AHEAD = 4
# An id may be up to seven days old when it arrives.
WEEKS_BEHIND = 1
LOCK_TIMEOUT = "2s"


def make_partitions(*, now: datetime | None = None, behind: int = WEEKS_BEHIND, ahead: int = WEEKS_AHEAD) -> list[str]:
    """Make the weeks around a moment that are missing; return their names."""
    this_week = monday(now or timezone.now())
    weeks = [this_week + WEEK * n for n in range(-behind, ahead + 1)]
    present = partitions()
    return [make_partition(week) for week in weeks if name_of(week) not in present]


def make_partition(week: datetime) -> str:
    """Make the partition of the week that begins at a Monday; attaching it never holds up the append."""
    name = name_of(week)
    values = {
        "parent": sql.Identifier("messaging_message"),
        "name": sql.Identifier(name),
        "first": sql.Literal(str(first_id_at(week))),
        "end": sql.Literal(str(first_id_at(week + WEEK))),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        # Two servers that start together make each week once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('messaging_message partitions'))")
        if name not in partitions():
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            for statement in (
                "CREATE TABLE {name} (LIKE {parent} INCLUDING ALL)",
                "ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})",
            ):
                cursor.execute(sql.SQL(statement).format(**values))
    return name


def partitions() -> set[str]:
    """Name the weeks that are there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'messaging_message'::regclass"
        )
        return {name for (name,) in cursor.fetchall()}


def weeks_ahead(now: datetime | None = None) -> int:
    """Count the weeks after the present one that are ready without a gap."""
    week, present = monday(now or timezone.now()), partitions()
    ready = 0
    while name_of(week + WEEK * (ready + 1)) in present:
        ready += 1
    return ready if name_of(week) in present else -1


def monday(moment: datetime) -> datetime:
    """Find the beginning of a moment's week: Monday, midnight, UTC."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def name_of(week: datetime) -> str:
    """Name a week's partition by its ISO year and week."""
    year, number, _ = week.isocalendar()
    return f"messaging_message_{year}w{number:02}"


class CreatePartitionedModel(CreateModel):
    """Create a model's table partitioned by ranges of its id."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain
