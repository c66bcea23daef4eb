"""An index of a table in use: built and dropped so that nobody waits, whole or partition by partition."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import ProgrammingError

from chatproject.core.migration_locks import briefly, concurrently, quoted

logger = logging.getLogger(__name__)

PARTITIONS = """
SELECT c.relname, i.inhdetachpending, EXISTS (
    SELECT FROM pg_index x JOIN pg_inherits xi ON xi.inhrelid = x.indexrelid
    WHERE x.indrelid = c.oid AND xi.inhparent = to_regclass(%(index)s)
)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(%(table)s) ORDER BY c.relname
"""
# While a partition is being detached, its index is counted, and that of the whole would not become valid.
WAIT_FOR_DETACHING = """
DO $$ BEGIN
    IF EXISTS (
        SELECT FROM pg_inherits xi JOIN pg_index x ON x.indexrelid = xi.inhrelid
        JOIN pg_inherits i ON i.inhrelid = x.indrelid
        WHERE xi.inhparent = '{index}'::regclass AND i.inhdetachpending
    ) THEN
        RAISE EXCEPTION 'a partition is being detached' USING ERRCODE = 'lock_not_available';
    END IF;
END $$
"""
INDEX = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s) AND indrelid = to_regclass(%s)"
IS_PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)"


class Partition(NamedTuple):
    """A partition, and what an index has of it."""

    name: str
    detaching: bool
    has_index: bool
    """Whether an index of it is attached to the index of the whole table."""


def fetch_one(on: Any, query: str, *values: Any) -> Any:
    """Return the first column of the first row, or None."""
    with on.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return row[0] if row else None


def partitions_of(on: Any, table: str, *, index: str | None = None) -> list[Partition]:
    """List the partitions of a table, the oldest first, and what an index has of them."""
    with on.cursor() as cursor:
        cursor.execute(PARTITIONS, {"table": quoted(table), "index": quoted(index) if index else None})
        return [Partition(*row) for row in cursor.fetchall()]


class OnlineIndex:
    """An index that is built and dropped while the table is in use."""

    def __init__(self, editor: Any, model: Any, index: Any) -> None:
        self._editor, self._on, self._model, self._index = editor, editor.connection, model, index
        self._table = model._meta.db_table

    @property
    def is_partitioned(self) -> bool:
        return bool(fetch_one(self._on, IS_PARTITIONED, quoted(self._table)))

    def create(self) -> None:
        """Build the index, or what is missing of it."""
        if self.is_partitioned:
            self._create_by_partition()
        else:
            self._build(self._table, self._index.name)

    def drop(self) -> None:
        """Drop the index; if the table is partitioned, in one moment with all of it locked."""
        if not self.is_partitioned:
            concurrently(self._on, f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(self._index.name)}")
            return
        briefly(self._on, f"DROP INDEX IF EXISTS {quoted(self._index.name)}")
        for partition in self._partitions():
            # What an interrupted build has left.
            concurrently(self._on, f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(self._name_on(partition.name))}")

    def _create_by_partition(self) -> None:
        """Create an empty index of the whole table, which later partitions receive when they are attached; build those
        of the partitions that are there, and attach them.
        """
        if fetch_one(self._on, INDEX, quoted(self._index.name), quoted(self._table)) is None:
            briefly(self._on, self._sql("INDEX %(name)s ON ONLY", self._table, self._index.name))
        while missing := self._missing():
            for partition in missing:
                self._unless_gone(self._build, partition, self._name_on(partition))
            # The oldest first: the index of the whole is valid once the last is attached, and old ones may be dropped.
            for partition in missing:
                self._unless_gone(self._attach, partition)
        if not fetch_one(self._on, INDEX, quoted(self._index.name), quoted(self._table)):
            # Each week has it and each new one gets it, which is all that queries need; a restored dump is valid again.
            logger.warning("the index %s is complete, but PostgreSQL does not call it valid", self._index.name)

    def _missing(self) -> list[str]:
        return [each.name for each in self._partitions() if not each.has_index and not each.detaching]

    def _unless_gone(self, work: Callable[..., None], partition: str, *values: Any) -> None:
        """Do something with a partition, which may be detached or dropped at any moment."""
        try:
            work(partition, *values)
        except ProgrammingError:
            if partition in self._missing():
                raise

    def _partitions(self) -> list[Partition]:
        return partitions_of(self._on, self._table, index=self._index.name)

    def _build(self, table: str, name: str) -> None:
        """Build the index of one table concurrently; an index that an interrupted build has left is made again."""
        valid = fetch_one(self._on, INDEX, quoted(name), quoted(table))
        if valid is False:
            concurrently(self._on, f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(name)}")
        if not valid:
            concurrently(self._on, self._sql("INDEX CONCURRENTLY %(name)s ON", table, name))

    def _attach(self, partition: str) -> None:
        whole, part = quoted(self._index.name), quoted(self._name_on(partition))
        # The lock keeps partitions from being attached or detached meanwhile, and nobody from reading and writing.
        briefly(
            self._on,
            f"LOCK TABLE ONLY {quoted(self._table)} IN SHARE UPDATE EXCLUSIVE MODE",
            WAIT_FOR_DETACHING.format(index=whole),
            f"ALTER INDEX {whole} ATTACH PARTITION {part}",
        )

    def _name_on(self, partition: str) -> str:
        return f"{partition}_{self._index.name}"[:63]

    def _sql(self, beginning: str, table: str, name: str) -> str:
        statement = self._index.create_sql(self._model, self._editor)
        statement.template = statement.template.replace("INDEX %(name)s ON", beginning)
        statement.parts.update(table=quoted(table), name=quoted(name))
        return str(statement)
