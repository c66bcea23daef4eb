"""Indexes of tables in use: built and removed week by week, whatever interrupts it."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection, models

from chatproject.core.database import connection_parameters
from chatproject.core.migrations import (
    AddIndexOnline,
    RemoveIndexOnline,
)
from tests.chatproject.core.drawer import APP, INDEX, Drawer, add_week, execute, fetch, soon

WEEKS = ("drawer_paper_1", "drawer_paper_2", "drawer_paper_3")
ON_ONLY = "CREATE INDEX by_said ON ONLY drawer_paper (said) WHERE said > ''"

CHILDREN = """
SELECT c.relname, x.indisvalid FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
JOIN pg_class c ON c.oid = x.indrelid WHERE i.inhparent = to_regclass('by_said') ORDER BY 1
"""


def valid() -> bool:
    return fetch("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('by_said')") == [(True,)]


def of_every_week(*names: str) -> list[tuple[str, bool]]:
    return [(name, True) for name in names or WEEKS]


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
