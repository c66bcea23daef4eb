"""Operations that change tables in use: what they leave, and who has to wait."""

import threading
import time
from typing import Any

import psycopg
import pytest
from django.contrib.postgres.functions import RandomUUID
from django.db import NotSupportedError, connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from chatproject.core import migration_locks
from chatproject.core.database import connection_parameters
from chatproject.core.migration_locks import LockNotObtained
from chatproject.core.migrations import (
    AddColumn,
    AddConstraintNotValid,
    AddIndexOnline,
    RunInBatches,
    ValidateConstraint,
)
from tests.chatproject.core.drawer import APP, INDEX, Drawer, execute, fetch, soon


def test_a_column_is_added_once_and_taken_away(drawer: Drawer) -> None:
    bare = drawer.state
    field = models.DateTimeField(db_default=Now())
    for model in ("paper", "pencil"):
        Drawer().apply(AddColumn(model, "at", field))
        drawer.apply(AddColumn(model, "at", field))
        assert fetch(f"SELECT count(at) FROM drawer_{model}") == [(500,)]  # noqa: S608
    drawer.unapply(AddColumn("pencil", "at", field), before=bare)
    assert fetch("SELECT 1 FROM pg_attribute WHERE attrelid = 'drawer_pencil'::regclass AND attname = 'at'") == []


@pytest.mark.parametrize(
    "field",
    [
        models.IntegerField(),
        models.IntegerField(default=0),
        models.IntegerField(null=True, db_index=True),
        models.PositiveIntegerField(null=True),
        models.UUIDField(db_default=RandomUUID()),
        models.GeneratedField(expression=F("id"), output_field=models.BigIntegerField(), db_persist=True),
    ],
    ids=[
        "neither nullable nor with a default",
        "a default of Python's alone",
        "an index",
        "a check",
        "random",
        "generated",
    ],
)
def test_a_column_that_could_not_be_added_online_is_refused(field: Any) -> None:
    with pytest.raises(ValueError, match="has to be"):
        AddColumn("paper", "count", field)


@pytest.mark.parametrize("model", ["paper", "pencil"])
def test_a_check_holds_for_new_rows_and_once_validated_for_all(drawer: Drawer, model: str) -> None:
    bare, table = drawer.state, f"drawer_{model}"
    check = models.CheckConstraint(condition=~Q(said="nothing"), name="something_said")
    execute(f"INSERT INTO {table} VALUES (1001, 'nothing')")  # noqa: S608
    for each in (Drawer(), drawer):
        each.apply(AddConstraintNotValid(model, check))
    with pytest.raises(Exception, match="something_said"):
        execute(f"INSERT INTO {table} VALUES (1002, 'nothing')")  # noqa: S608
    with pytest.raises(Exception, match="something_said"):
        drawer.apply(ValidateConstraint(model, "something_said"))
    execute(f"DELETE FROM {table} WHERE id = 1001")  # noqa: S608
    for _ in range(2):
        drawer.apply(ValidateConstraint(model, "something_said"))
    validated = "SELECT DISTINCT convalidated FROM pg_constraint WHERE conname = 'something_said'"
    assert fetch(validated) == [(True,)]
    drawer.unapply(AddConstraintNotValid(model, check), before=bare)
    assert fetch(validated) == []


# Data

SHOUT = "UPDATE drawer_pencil SET said = upper(said) WHERE id = ANY(%(keys)s)"


def shouted() -> int:
    return fetch("SELECT count(*) FROM drawer_pencil WHERE said LIKE 'WORD%'")[0][0]  # type: ignore[no-any-return]


def test_data_are_changed_in_batches_that_are_kept_when_the_next_one_fails(drawer: Drawer) -> None:
    batches: list[int] = []

    def shout(apps: Any, keys: list[Any]) -> None:
        batches.append(len(keys))
        execute(SHOUT.replace("%(keys)s", f"'{{{','.join(map(str, keys))}}}'"))
        if len(batches) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drawer.apply(RunInBatches("pencil", shout, rows=100))
    assert shouted() == 200
    drawer.apply(RunInBatches("pencil", shout, remaining="said LIKE 'word%%'", rows=100))
    assert shouted() == 500
    assert batches == [100] * 6


def test_a_batch_waits_for_a_locked_row_by_trying_again(drawer: Drawer, other: "psycopg.Connection[Any]") -> None:
    other.execute("UPDATE drawer_pencil SET said = 'WORD' WHERE id = 2000")
    timer = soon(0.3, other.commit)
    drawer.apply(RunInBatches("pencil", SHOUT, rows=100))
    timer.join()
    assert shouted() == 500


# Locks


@pytest.mark.long
@pytest.mark.parametrize(
    "operation",
    [
        AddColumn("paper", "at", models.DateTimeField(null=True)),
        AddIndexOnline("paper", INDEX),
        AddConstraintNotValid("paper", models.CheckConstraint(condition=~Q(said="nothing"), name="something_said")),
    ],
    ids=["a column", "an index", "a check"],
)
def test_nobody_waits_long_behind_a_change_that_waits_for_a_long_transaction(
    drawer: Drawer, other: "psycopg.Connection[Any]", operation: Any
) -> None:
    other.execute("UPDATE drawer_paper SET said = 'x' WHERE id = 2000")
    done, waits = threading.Event(), []

    def write() -> None:
        with psycopg.connect(**connection_parameters(), autocommit=True) as writing:
            while not done.wait(0.01):
                began = time.monotonic()
                writing.execute("UPDATE drawer_paper SET said = 'y' WHERE id = 1000")
                waits.append(time.monotonic() - began)

    writer, timer = threading.Thread(target=write), soon(0.4, other.commit)
    writer.start()
    drawer.apply(operation)
    done.set()
    for thread in (writer, timer):
        thread.join()
    assert 0.1 < max(waits) < 0.8


def test_a_change_gives_up_with_the_transactions_that_were_in_its_way(
    drawer: Drawer, other: "psycopg.Connection[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_locks, "RETRY_SECONDS", 0.1)
    other.execute("UPDATE drawer_paper SET said = 'x' WHERE id = 2000")
    with pytest.raises(LockNotObtained, match=rf"{other.info.backend_pid} \(idle in transaction"):
        drawer.apply(AddColumn("paper", "at", models.DateTimeField(null=True)))


def test_these_operations_refuse_to_run_in_a_transaction(drawer: Drawer) -> None:
    with transaction.atomic(), pytest.raises(NotSupportedError, match="atomic = False"):
        drawer.apply(RunInBatches("pencil", SHOUT))


def test_sqlmigrate_changes_nothing(drawer: Drawer) -> None:
    after = drawer.state.clone()
    operation = AddIndexOnline("paper", INDEX)
    operation.state_forwards(APP, after)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        operation.database_forwards(APP, editor, drawer.state, after)
    assert "by_said" in "".join(editor.collected_sql)
    assert fetch("SELECT to_regclass('by_said')") == [(None,)]
