"""Every migration of the project is applied to full tables in use, and nobody waits for long.

What is measured is how long people waited for locks, by the database's own clock: a machine that is busy with other
things makes statements slow, but holds no locks.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.contrib.postgres.functions import RandomUUID
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations import AddField, AddIndex, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import MD5

from tests.upgrade.database import (
    CONVERSATIONS,
    copy_of,
    fill,
    fill_new_tables,
    former_database,
    remaining_migrations,
    tables,
)
from tests.upgrade.load import Waits, long_transactions, people_writing

pytestmark = [pytest.mark.long, pytest.mark.alone, pytest.mark.timeout(900)]

LIMIT = 1.0
"""The longest that a statement of the product may wait for a lock while a migration runs, in seconds."""
WRITING = "UPDATE conversations_conversation SET version = version WHERE id = md5('group 0')::uuid"
READING = "SELECT 1 FROM messaging_message, conversations_conversation, accounts_user, accounts_session LIMIT 1"
LONG = 5.0


@pytest.fixture(scope="module")
def full(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The name of a full database of the first release."""
    name = f"{connection.settings_dict['NAME']}_full"
    with django_db_blocker.unblock(), former_database(name):
        fill()
        yield name


@pytest.fixture
def former(full: str, django_db_blocker: Any) -> Iterator[None]:
    """A copy of it, which Django uses."""
    with django_db_blocker.unblock(), copy_of(full, f"{full}_copy"):
        yield


def waits_of(work: Callable[[], Any]) -> Waits:
    """Do something while people write and read."""
    with people_writing(conversations=CONVERSATIONS, tables=tables()) as waits:
        work()
    return waits


def migrate_step_by_step(beside: Callable[[], AbstractContextManager[Any]] = nullcontext) -> dict[str, Waits]:
    """Apply each migration while people write and read; return how long they had to wait."""
    measured = {}
    for step in remaining_migrations():
        before = tables()
        with beside():
            migrate = partial(call_command, "migrate", *step, verbosity=0, stderr=StringIO())
            measured[".".join(step) or "those of others"] = waits_of(migrate)
        fill_new_tables(before)
    return measured


def table_of(measured: dict[str, Waits]) -> str:
    """Say what was measured, the longest waits first."""
    worst = sorted(measured.items(), key=lambda item: -item[1].lock)
    return "\n" + "\n".join(f"{waits} during {name}" for name, waits in worst)


def require_short_waits(measured: dict[str, Waits]) -> None:
    assert all(waits.lock <= LIMIT and not waits.failures for waits in measured.values()), table_of(measured)
    assert all(waits.count > 50 for waits in measured.values()), table_of(measured)


def test_nobody_waits_for_a_second_while_a_migration_runs(former: None) -> None:
    require_short_waits(migrate_step_by_step())


def test_long_transactions_make_neither_people_wait_nor_a_migration_fail(former: None) -> None:
    require_short_waits(migrate_step_by_step(lambda: long_transactions(WRITING, READING, seconds=LONG)))


# The measurement finds what it is for


def apply_as_django_does(*operations: Any) -> None:
    """Apply operations of Django's own to the messages, in one transaction."""
    migration = Migration("bad", "messaging")
    migration.operations = list(operations)
    state = MigrationExecutor(connection).loader.project_state([("messaging", "0001_initial")])
    with connection.unbounded(), connection.schema_editor(atomic=True) as editor:  # type: ignore[attr-defined]
        migration.apply(state, editor)


BAD = {
    # Several, so that the fastest machine takes longer than the limit.
    "indexes of all weeks at once": [AddIndex("message", models.Index(MD5("body"), name=f"bad{n}")) for n in range(4)],
    "a column that is computed for every row": [AddField("message", "bad", models.UUIDField(db_default=RandomUUID()))],
}


@pytest.mark.parametrize("operations", BAD.values(), ids=BAD)
def test_this_measurement_finds_a_migration_that_makes_people_wait(former: None, operations: list[Any]) -> None:
    waits = waits_of(lambda: apply_as_django_does(*operations))
    assert waits.lock > LIMIT, str(waits)
    with pytest.raises(AssertionError, match="during bad"):
        require_short_waits({"bad": waits})
