"""Operations for migrations of a database that people are using: none holds a lock that grows with the data.

All of them stand in migrations with `atomic = False`, and may be repeated after they were interrupted anywhere. What
`migrate` does around them, for every migration, is in `chatproject/core/migration_locks.py`; decision 41 has the
reasons.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib.postgres import operations as postgres
from django.db import NotSupportedError, ProgrammingError, models, transaction
from django.db.migrations import AddField, AddIndex, CreateModel, RemoveIndex
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.models import Value
from django.db.models.functions import Now

from chatproject.core.migration_locks import LOCK_TIMEOUT_MS, briefly, concurrently, quoted, retried

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
CONSTRAINT = "SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"
COLUMN = "SELECT true FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped"
IS_PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%s)"
ROWS_AT_ONCE = 500
CONSTANT = (Value, Now)
"""Defaults that PostgreSQL computes once for all rows that are there."""


class Online(Operation):
    """An operation outside of any transaction. `sqlmigrate` prints what Django would do in its place."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.collect_sql:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            self._require_no_transaction(schema_editor)
            self.forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.collect_sql:
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            self._require_no_transaction(schema_editor)
            self.backwards(app_label, schema_editor, from_state, to_state)

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        raise NotImplementedError

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        raise NotImplementedError

    def _require_no_transaction(self, editor: Any) -> None:
        if editor.connection.in_atomic_block:
            raise NotSupportedError(f"{type(self).__name__} needs a migration with `atomic = False`.")


def _fetch(on: Any, query: str, *values: Any) -> Any:
    """Return the first column of the first row, or None."""
    with on.cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
    return row[0] if row else None


# Tables and columns


class CreateTable(Online, CreateModel):
    """Create a table with all that belongs to it in one moment."""

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if not _fetch(editor.connection, "SELECT to_regclass(%s) IS NOT NULL", quoted(table)):
            create = super().database_forwards  # which only collects the statements
            _in_one_moment(editor.connection, lambda collector: create(app_label, collector, from_state, to_state))

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        table = from_state.apps.get_model(app_label, self.name)._meta.db_table
        briefly(editor.connection, f"DROP TABLE IF EXISTS {quoted(table)} CASCADE")


class AddColumn(Online, AddField):
    """Add a column that is nullable or has a default in the database, so that no row is written."""

    def __init__(self, model_name: str, name: str, field: Any) -> None:
        if field.generated or (not isinstance(field.db_default, CONSTANT) and hasattr(field.db_default, "as_sql")):
            raise ValueError(f"The column {name} has to be the same for all rows at first: its default is computed.")
        if not field.null and not field.has_db_default():
            raise ValueError(f"The column {name} has to be nullable, or to have a db_default.")
        if field.db_index or field.unique:
            raise ValueError(f"The index of the column {name} has to be made by AddIndexOnline.")
        super().__init__(model_name, name, field)

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        if not _fetch(editor.connection, COLUMN, quoted(model._meta.db_table), column):
            add = super().database_forwards  # which only collects the statements
            _in_one_moment(editor.connection, lambda collector: add(app_label, collector, from_state, to_state))

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        column, table = model._meta.get_field(self.name).column, model._meta.db_table
        briefly(editor.connection, f"ALTER TABLE {quoted(table)} DROP COLUMN IF EXISTS {quoted(column)}")


def _in_one_moment(on: Any, change: Callable[[Any], None]) -> None:
    """Do a schema change of Django's in one short transaction that is repeated until it gets its locks."""
    with on.schema_editor(collect_sql=True, atomic=False) as collector:
        change(collector)
    briefly(on, *collector.collected_sql)


# Indexes


class Partition(NamedTuple):
    """A partition, and what an index has of it."""

    name: str
    detaching: bool
    has_index: bool
    """Whether an index of it is attached to the index of the whole table."""


class OnlineIndex:
    """An index that is built and dropped while the table is in use."""

    def __init__(self, editor: Any, model: Any, index: Any) -> None:
        self._editor, self._on, self._model, self._index = editor, editor.connection, model, index
        self._table = model._meta.db_table

    @property
    def is_partitioned(self) -> bool:
        return bool(_fetch(self._on, IS_PARTITIONED, quoted(self._table)))

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
        if _fetch(self._on, INDEX, quoted(self._index.name), quoted(self._table)) is None:
            briefly(self._on, self._sql("INDEX %(name)s ON ONLY", self._table, self._index.name))
        while missing := self._missing():
            for partition in missing:
                self._unless_gone(self._build, partition, self._name_on(partition))
            # The oldest first: the index of the whole is valid once the last is attached, and old ones may be dropped.
            for partition in missing:
                self._unless_gone(self._attach, partition)

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
        with self._on.cursor() as cursor:
            cursor.execute(PARTITIONS, {"table": quoted(self._table), "index": quoted(self._index.name)})
            return [Partition(*row) for row in cursor.fetchall()]

    def _build(self, table: str, name: str) -> None:
        """Build the index of one table concurrently; an index that an interrupted build has left is made again."""
        valid = _fetch(self._on, INDEX, quoted(name), quoted(table))
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


class AddIndexOnline(Online, AddIndex):
    """Add an index to a table in use, partitioned or not."""

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        OnlineIndex(editor, to_state.apps.get_model(app_label, self.model_name), self.index).create()

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        OnlineIndex(editor, from_state.apps.get_model(app_label, self.model_name), self.index).drop()


class RemoveIndexOnline(Online, RemoveIndex):
    """Remove an index of a table in use, partitioned or not."""

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        self._online(app_label, editor, from_state).drop()

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        self._online(app_label, editor, to_state).create()

    def _online(self, app_label: str, editor: Any, state: Any) -> OnlineIndex:
        index = state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        return OnlineIndex(editor, state.apps.get_model(app_label, self.model_name), index)


# Constraints


class AddConstraintNotValid(Online, postgres.AddConstraintNotValid):
    """Add a check that holds for what is written from now on; `ValidateConstraint` then looks at what is there."""

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        if _fetch(editor.connection, CONSTRAINT, quoted(table), self.constraint.name) is None:
            add = super().database_forwards  # which only collects the statements
            _in_one_moment(editor.connection, lambda collector: add(app_label, collector, from_state, to_state))

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        table = quoted(to_state.apps.get_model(app_label, self.model_name)._meta.db_table)
        name = quoted(self.constraint.name)
        briefly(editor.connection, f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")


class ValidateConstraint(Online, postgres.ValidateConstraint):
    """Validate a constraint, one partition after another, while the table is read and written."""

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        on, table = editor.connection, from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        with on.cursor() as cursor:
            cursor.execute(PARTITIONS, {"table": quoted(table), "index": None})
            partitions = [name for name, detaching, _ in cursor.fetchall() if not detaching]
        for each in [*partitions, table]:
            if _fetch(on, CONSTRAINT, quoted(each), self.name) is False:
                concurrently(on, f"ALTER TABLE {quoted(each)} VALIDATE CONSTRAINT {quoted(self.name)}")


# Data


class RunInBatches(Online):
    """Change data in batches of primary keys, each in a short transaction of its own.

    `change` is SQL that has `%(keys)s` for the list of keys (`… WHERE id = ANY(%(keys)s)`), or a function of the apps
    and that list. `remaining` is an SQL condition for the rows that are still to be changed, so that a migration that
    was stopped goes on where it was. The rows of a batch are locked in the order of their keys.
    """

    category = OperationCategory.PYTHON
    reduces_to_sql = False
    reversible = True

    def __init__(
        self,
        model_name: str,
        change: str | Callable[[Any, list[Any]], None],
        *,
        remaining: str = "true",
        rows: int = ROWS_AT_ONCE,
    ) -> None:
        self.model_name, self.change, self.remaining, self.rows = model_name, change, remaining, rows

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        on, model = editor.connection, from_state.apps.get_model(app_label, self.model_name)
        if isinstance(model._meta.pk, models.CompositePrimaryKey):
            raise NotSupportedError("RunInBatches needs a primary key of one column.")
        last = None
        while keys := self._keys(on, model, after=last):
            retried(lambda keys=keys: self._change(on, model, from_state.apps, keys), on=on)  # type: ignore[misc]
            last = keys[-1]

    def backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        pass

    def describe(self) -> str:
        return f"Change the rows of {self.model_name} in batches"

    def _keys(self, on: Any, model: Any, *, after: Any) -> list[Any]:
        table, key = quoted(model._meta.db_table), quoted(model._meta.pk.column)
        where = f"({self.remaining})" + (f" AND {key} > %s" if after is not None else "")
        with on.cursor() as cursor:
            cursor.execute(
                f"SELECT {key} FROM {table} WHERE {where} ORDER BY {key} LIMIT {self.rows}",  # noqa: S608
                [] if after is None else [after],
            )
            return [row[0] for row in cursor.fetchall()]

    def _change(self, on: Any, model: Any, apps: Any, keys: list[Any]) -> None:
        table, key = quoted(model._meta.db_table), quoted(model._meta.pk.column)
        lock = f"SELECT 1 FROM {table} WHERE {key} = ANY(%s) ORDER BY {key} FOR NO KEY UPDATE"  # noqa: S608
        with transaction.atomic(using=on.alias), on.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            cursor.execute(lock, [keys])
            if callable(self.change):
                self.change(apps, keys)
            else:
                cursor.execute(self.change, {"keys": keys})
