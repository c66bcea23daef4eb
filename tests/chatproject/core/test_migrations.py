"""Operations that change tables in use: what they leave, whatever interrupts them, and who has to wait."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.postgres.functions import RandomUUID
from django.db import NotSupportedError, connection, models, transaction
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState
from django.db.models import F, Q
from django.db.models.functions import Now

from chatproject.core import migration_locks
from chatproject.core.database import connection_parameters
from chatproject.core.migration_locks import LockNotObtained
from chatproject.core.migrations import (
    AddColumn,
    AddConstraintNotValid,
    AddIndexOnline,
    RemoveIndexOnline,
    RunInBatches,
    ValidateConstraint,
)

APP = "drawer"
WEEKS = ("drawer_paper_1", "drawer_paper_2", "drawer_paper_3")
INDEX = models.Index(fields=["said"], name="by_said", condition=Q(said__gt=""))
ON_ONLY = "CREATE INDEX by_said ON ONLY drawer_paper (said) WHERE said > ''"

CHILDREN = """
SELECT c.relname, x.indisvalid FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
JOIN pg_class c ON c.oid = x.indrelid WHERE i.inhparent = to_regclass('by_said') ORDER BY 1
"""


class Drawer:
    """Two tables of a model each, one partitioned, and their state as migrations see it."""

    def __init__(self) -> None:
        self.state = ProjectState()
        for name in ("Paper", "Pencil"):
            fields = [("id", models.BigIntegerField(primary_key=True)), ("said", models.TextField(default=""))]
            CreateModel(name=name, fields=fields).state_forwards(APP, self.state)

    def apply(self, operation: Any) -> None:
        before = self.state
        after = before.clone()
        operation.state_forwards(APP, after)
        with connection.schema_editor(atomic=False) as editor:
            operation.database_forwards(APP, editor, before, after)
        self.state = after

    def unapply(self, operation: Any, *, before: ProjectState) -> None:
        with connection.schema_editor(atomic=False) as editor:
            operation.database_backwards(APP, editor, self.state, before)
        self.state = before


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fetch(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def add_week(number: int) -> None:
    """Make a partition as `messaging.retention.partitions` does."""
    name, first = f"drawer_paper_{number}", number * 1000
    execute(
        f"CREATE TABLE {name} (LIKE drawer_paper INCLUDING ALL)",
        f"ALTER TABLE drawer_paper ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({first + 1000})",
    )


@pytest.fixture
def drawer(committed: None) -> Iterator[Drawer]:
    """Papers in three weeks, and pencils, 500 of each; all of it is gone in the end."""
    execute(
        "CREATE TABLE drawer_paper (id bigint PRIMARY KEY, said text NOT NULL) PARTITION BY RANGE (id)",
        "CREATE TABLE drawer_pencil (id bigint PRIMARY KEY, said text NOT NULL)",
    )
    for number in (1, 2, 3):
        add_week(number)
    for table in ("drawer_paper", "drawer_pencil"):
        execute(f"INSERT INTO {table} SELECT 1000 + 5 * n, 'word ' || n FROM generate_series(0, 499) n")  # noqa: S608
    yield Drawer()
    execute("DROP TABLE drawer_paper, drawer_pencil CASCADE", "DROP TABLE IF EXISTS drawer_paper_1")


@pytest.fixture
def other(drawer: Drawer) -> Iterator["psycopg.Connection[Any]"]:
    """Somebody else's connection."""
    with psycopg.connect(**connection_parameters()) as connected:
        yield connected


def valid() -> bool:
    return fetch("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('by_said')") == [(True,)]


def of_every_week(*names: str) -> list[tuple[str, bool]]:
    return [(name, True) for name in names or WEEKS]


def soon(seconds: float, work: Callable[[], Any]) -> threading.Timer:
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer


# Indexes


def test_an_index_is_built_week_by_week_and_belongs_to_the_whole(drawer: Drawer) -> None:
    drawer.apply(AddIndexOnline("paper", INDEX))
    assert valid()
    assert fetch(CHILDREN) == of_every_week()
    assert drawer.state.models[APP, "paper"].get_index_by_name("by_said") is INDEX


def test_a_table_in_one_piece_gets_its_index_by_the_same_operation(drawer: Drawer) -> None:
    drawer.apply(AddIndexOnline("pencil", INDEX))
    assert valid()


def test_an_index_that_is_there_is_left_as_it_is(drawer: Drawer) -> None:
    for model in ("paper", "pencil"):
        index = models.Index(fields=["said"], name=f"{model}_said")
        drawer.apply(AddIndexOnline(model, index))
        before = fetch("SELECT oid FROM pg_class WHERE relname LIKE '%\\_said' ORDER BY 1")
        again = Drawer()
        again.apply(AddIndexOnline(model, index))
        assert fetch("SELECT oid FROM pg_class WHERE relname LIKE '%\\_said' ORDER BY 1") == before


@pytest.mark.parametrize("model", ["paper", "pencil"])
def test_an_index_whose_build_was_cancelled_is_built_again(
    drawer: Drawer, other: "psycopg.Connection[Any]", model: str
) -> None:
    if model == "paper":
        execute(ON_ONLY)
    other.execute(f"UPDATE drawer_{model} SET said = 'x' WHERE id = 2000")  # noqa: S608
    # As Ctrl-C does: the build, which waits for the transaction above, is cancelled.
    pid = connection.connection.info.backend_pid
    soon(0.2, lambda: other.execute("SELECT pg_cancel_backend(%s)", [pid]))
    with pytest.raises(Exception, match="canceling statement due to user request"):
        Drawer().apply(AddIndexOnline(model, INDEX))
    assert (False,) in fetch("SELECT indisvalid FROM pg_index WHERE indexrelid::regclass::text LIKE '%by_said'")
    other.commit()
    drawer.apply(AddIndexOnline(model, INDEX))
    assert valid()


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_build_that_was_interrupted_anywhere_goes_on(drawer: Drawer, done: int) -> None:
    """After the index of the whole, and after each week, attached or not."""
    execute(ON_ONLY)
    for name in WEEKS[:done]:
        execute(f"CREATE INDEX {name}_by_said ON {name} (said) WHERE said > ''")
    for name in WEEKS[: max(done - 1, 0)]:
        execute(f"ALTER INDEX by_said ATTACH PARTITION {name}_by_said")
    drawer.apply(AddIndexOnline("paper", INDEX))
    assert valid()
    assert fetch(CHILDREN) == of_every_week()


def test_a_week_that_is_made_while_the_index_is_built_has_it_too(
    drawer: Drawer, other: "psycopg.Connection[Any]"
) -> None:
    execute(ON_ONLY)
    other.execute("UPDATE drawer_paper SET said = 'x' WHERE id = 2000")
    made = threading.Thread(target=lambda: (time.sleep(0.15), add_week(4), other.commit(), connection.close()))
    made.start()
    drawer.apply(AddIndexOnline("paper", INDEX))
    made.join()
    assert valid()
    assert fetch(CHILDREN) == of_every_week(*WEEKS, "drawer_paper_4")


def test_a_week_that_is_dropped_while_the_index_is_built_is_left_out(
    drawer: Drawer, other: "psycopg.Connection[Any]"
) -> None:
    execute(ON_ONLY)
    other.execute("UPDATE drawer_paper SET said = 'x' WHERE id = 2000")

    def drop() -> None:
        time.sleep(0.15)
        with psycopg.connect(**connection_parameters(), autocommit=True) as dropping:
            other.commit()
            dropping.execute("ALTER TABLE drawer_paper DETACH PARTITION drawer_paper_1 CONCURRENTLY")
            dropping.execute("DROP TABLE drawer_paper_1")

    dropped = threading.Thread(target=drop)
    dropped.start()
    drawer.apply(AddIndexOnline("paper", INDEX))
    dropped.join()
    assert valid()
    assert fetch(CHILDREN) == of_every_week(*WEEKS[1:])


@pytest.fixture
def half_detached(drawer: Drawer, other: "psycopg.Connection[Any]") -> Callable[[], None]:
    """Interrupt the detaching of the first week."""

    def interrupt() -> None:
        other.execute("SELECT 1 FROM drawer_paper")
        with psycopg.connect(**connection_parameters(), autocommit=True) as detaching:
            detaching.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                detaching.execute("ALTER TABLE drawer_paper DETACH PARTITION drawer_paper_1 CONCURRENTLY")
        other.commit()

    return interrupt


def test_a_week_whose_detaching_was_interrupted_needs_no_index(
    drawer: Drawer, half_detached: Callable[[], None]
) -> None:
    half_detached()
    drawer.apply(AddIndexOnline("paper", INDEX))
    assert valid()
    assert fetch(CHILDREN) == of_every_week(*WEEKS[1:])


def test_the_last_week_is_attached_after_one_that_is_being_detached_has_gone(
    drawer: Drawer, half_detached: Callable[[], None]
) -> None:
    execute(ON_ONLY)
    execute("CREATE INDEX drawer_paper_1_by_said ON drawer_paper_1 (said) WHERE said > ''")
    execute("ALTER INDEX by_said ATTACH PARTITION drawer_paper_1_by_said")
    half_detached()
    finalize = "ALTER TABLE drawer_paper DETACH PARTITION drawer_paper_1 FINALIZE"
    timer = soon(0.1, lambda: (execute(finalize), connection.close()))
    drawer.apply(AddIndexOnline("paper", INDEX))
    timer.join()
    assert valid()
    assert fetch(CHILDREN) == of_every_week(*WEEKS[1:])


@pytest.mark.parametrize("model", ["paper", "pencil"])
def test_an_index_is_removed_and_comes_back(drawer: Drawer, model: str) -> None:
    bare = drawer.state
    drawer.apply(AddIndexOnline(model, INDEX))
    indexed = drawer.state
    drawer.apply(RemoveIndexOnline(model, "by_said"))
    assert fetch("SELECT 1 FROM pg_class WHERE relname LIKE '%by_said'") == []
    drawer.unapply(RemoveIndexOnline(model, "by_said"), before=indexed)
    assert valid()
    drawer.unapply(AddIndexOnline(model, INDEX), before=bare)
    assert fetch("SELECT 1 FROM pg_class WHERE relname LIKE '%by_said'") == []


# Columns and constraints


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
