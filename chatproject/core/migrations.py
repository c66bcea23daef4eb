"""Operations for migrations of a database that people are using: none holds a lock that grows with the data.

All of them stand in migrations with `atomic = False`, and may be repeated after they were interrupted anywhere. What
`migrate` does around them, for every migration, is in `chatproject/core/migration_locks.py`; decision 41 has the
reasons.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import NotSupportedError, connection, models, transaction
from django.db.migrations import AddField, AddIndex, CreateModel, RemoveIndex
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.models import Value
from django.db.models.functions import Now

from chatproject.core.migration_locks import LOCK_TIMEOUT_MS, briefly, concurrently, quoted, retried
from chatproject.core.online_index import OnlineIndex, fetch_one, partitions_of

CONSTRAINT = "SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"
COLUMN = "SELECT true FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped"
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


# Tables and columns


class CreateTable(Online, CreateModel):
    """Create a table with all that belongs to it in one moment."""

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        if not fetch_one(editor.connection, "SELECT to_regclass(%s) IS NOT NULL", quoted(table)):
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
        if field.get_internal_type() in connection.data_type_check_constraints:
            raise ValueError(f"The column {name} has to be without a check, for which all rows would be read.")
        if field.db_index or field.unique:
            raise ValueError(f"The index of the column {name} has to be made by AddIndexOnline.")
        super().__init__(model_name, name, field)

    def forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        if not fetch_one(editor.connection, COLUMN, quoted(model._meta.db_table), column):
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
        if fetch_one(editor.connection, CONSTRAINT, quoted(table), self.constraint.name) is None:
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
        partitions = [each.name for each in partitions_of(on, table) if not each.detaching]
        for each in [*partitions, table]:
            if fetch_one(on, CONSTRAINT, quoted(each), self.name) is False:
                concurrently(on, f"ALTER TABLE {quoted(each)} VALIDATE CONSTRAINT {quoted(self.name)}")


# Data


class RunInBatches(Online):
    """Change data in batches of primary keys, each in a short transaction of its own.

    `change` is SQL that has `%(keys)s` for the list of keys (`… WHERE id = ANY(%(keys)s)`), or a function of the apps
    and that list. `remaining` is an SQL condition for the rows that are still to be changed, so that a migration that
    was stopped goes on where it was; in both, `%` is written `%%`. The rows of a batch are locked in the order of their
    keys.
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
