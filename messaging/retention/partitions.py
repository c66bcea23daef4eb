"""Weekly partitions: made ahead of time, and dropped when nobody may read their messages any more.

A UUID of version 7 begins with its time, so a range of ids is a range of time, and to delete a week is to drop a table.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.operations import CreateModel
from django.utils import timezone
from psycopg import sql

from chatproject.core.database import connection_parameters, without_connection
from chatproject.core.ids import first_id_at

logger = logging.getLogger(__name__)

PARENTS = ("messaging_message", "messaging_reaction", "messaging_messagestatus")
"""The partitioned tables; the ids of each begin with their time."""
BESIDE_MESSAGES = {"messaging_reaction"}
"""Tables whose rows are partitioned by the id of their message, however old that is: a reaction may come much later."""
WEEK = timedelta(weeks=1)
WEEKS_AHEAD = 4
# An id may be up to seven days old when it arrives.
WEEKS_BEHIND = 1
KEPT_FOR = timedelta(days=settings.RETENTION_DAYS) + WEEK * WEEKS_BEHIND
"""How long after its end a week may still contain a message that someone may read."""
LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "60s"

PRESENT = """
SELECT c.relname, i.inhrelid IS NOT NULL, COALESCE(i.inhdetachpending, false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname ~ %s
ORDER BY c.relname
"""
NAME = re.compile(rf"({'|'.join(PARENTS)})_(\d{{4}})w(\d{{2}})")


class Partition(NamedTuple):
    """One week of one table, attached or not."""

    name: str
    parent: str
    begins: datetime
    attached: bool
    detaching: bool
    """Whether a concurrent detach was interrupted: no query reads it, but no other week can be detached before it."""

    @property
    def ends(self) -> datetime:
        return self.begins + WEEK

    def is_due(self, now: datetime) -> bool:
        """Tell whether nobody may read anything of this week any more."""
        return now >= self.ends + KEPT_FOR


# Making partitions


def make_partitions(*, now: datetime | None = None, behind: int = WEEKS_BEHIND, ahead: int = WEEKS_AHEAD) -> list[str]:
    """Make the partitions around a moment that are missing, in every table; return their names."""
    this_week = monday(now or timezone.now())
    around = {this_week + WEEK * n for n in range(-behind, ahead + 1)}
    attached = [partition for partition in all_partitions() if partition.attached]
    present = {partition.name for partition in attached}
    of_messages = {partition.begins for partition in attached if partition.parent == PARENTS[0]}
    wanted = [(parent, around | of_messages if parent in BESIDE_MESSAGES else around) for parent in PARENTS]
    missing = [(parent, week) for parent, weeks in wanted for week in weeks if name_of(week, parent) not in present]
    return [make_partition(week, parent) for parent, week in sorted(missing, key=_in_order)]


def _in_order(missing: tuple[str, datetime]) -> tuple[int, datetime]:
    return PARENTS.index(missing[0]), missing[1]


def make_partition(week: datetime, parent: str = PARENTS[0]) -> str:
    """Make the partition of the week that begins at a Monday. Attaching it does not block the append."""
    name = name_of(week, parent)
    values = {
        "parent": sql.Identifier(parent),
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
    """Return the names of the attached partitions."""
    return {partition.name for partition in all_partitions() if partition.attached}


def weeks_ahead(now: datetime | None = None, *, on: Any = None) -> int:
    """Count the weeks after the present one that have partitions, without a gap and in every table; -1 if the present
    one has none.
    """
    week = monday(now or timezone.now())
    present = {partition.name for partition in all_partitions(on=on) if partition.attached}
    for n in range(WEEKS_AHEAD + 2):
        if not present.issuperset(name_of(week + WEEK * n, parent) for parent in PARENTS):
            return n - 1
    return WEEKS_AHEAD + 1


# Dropping partitions


def drop_old_partitions(*, now: datetime | None = None) -> list[str]:
    """Drop every partition that nobody may read any more; return the names of those that were dropped.

    It blocks nobody for long: a partition that is in use, by a long dump for instance, is left for the next run, with
    an interrupted detach if it has come to that.
    """
    dropped: list[str] = []
    with _own_connection() as own:
        if not _lock_dropping(own):
            return dropped
        for partition in due_partitions(now=now, on=own):
            try:
                _drop(partition, on=own)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
                logger.warning("the partition %s is in use; it is dropped another time", partition.name)
                break
            logger.info("dropped the partition %s", partition.name)
            dropped.append(partition.name)
    return dropped


def due_partitions(*, now: datetime | None = None, on: Any = None) -> list[Partition]:
    """List the partitions that are due by the database's clock, one with an interrupted detach first."""
    moment = now or _database_time(on)
    due = [partition for partition in all_partitions(on=on) if partition.is_due(moment)]
    return sorted(due, key=lambda partition: (not partition.detaching, partition.name))


def all_partitions(*, on: Any = None) -> list[Partition]:
    """List every partition, also those that are detached or being detached."""
    with (on or connection).cursor() as cursor:
        cursor.execute(PRESENT, [f"^{NAME.pattern}$"])
        return [_partition(*row) for row in cursor.fetchall()]


def _partition(name: str, attached: bool, detaching: bool) -> Partition:
    parent, year, week = NAME.fullmatch(name).groups()  # type: ignore[union-attr]
    begins = datetime.fromisocalendar(int(year), int(week), 1).replace(tzinfo=UTC)
    return Partition(name, parent, begins, attached, detaching)


def _drop(partition: Partition, *, on: "psycopg.Connection[Any]") -> None:
    """Detach a partition without blocking anybody, then drop it."""
    names = {"parent": sql.Identifier(partition.parent), "name": sql.Identifier(partition.name)}
    if partition.attached:
        how = sql.SQL("FINALIZE" if partition.detaching else "CONCURRENTLY")
        on.execute(sql.SQL("ALTER TABLE {parent} DETACH PARTITION {name} {how}").format(how=how, **names))
    on.execute(sql.SQL("DROP TABLE {name}").format(**names))


@contextmanager
def _own_connection() -> "Iterator[psycopg.Connection[Any]]":
    """A connection with short timeouts and no transaction, which a concurrent detach does not allow."""
    with without_connection(), psycopg.connect(**connection_parameters(), autocommit=True) as own:
        own.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        own.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")
        yield own


def _lock_dropping(own: "psycopg.Connection[Any]") -> bool:
    """Tell whether no other process drops partitions now; the advisory lock ends with the connection."""
    found = own.execute("SELECT pg_try_advisory_lock(hashtext('messaging_message dropping'))").fetchone()
    return bool(found and found[0])


def _database_time(on: Any) -> datetime:
    with (on or connection).cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment


# Names and migrations


def monday(moment: datetime) -> datetime:
    """Return the beginning of a moment's week: Monday, midnight, UTC."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def name_of(week: datetime, parent: str = PARENTS[0]) -> str:
    """Return the name of a week's partition, with its ISO year and week."""
    year, number, _ = week.isocalendar()
    return f"{parent}_{year}w{number:02}"


class CreatePartitionedModel(CreateModel):
    """Create a model's table partitioned by ranges of `partition_key`."""

    partition_key = "id"

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        plain = schema_editor.sql_create_table
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE ({self.partition_key})"
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = plain


class CreateModelBesideMessages(CreatePartitionedModel):
    """Create the table of a model whose rows belong to messages, partitioned by the message's id."""

    partition_key = "message_id"
