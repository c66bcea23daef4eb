"""The database ends long transactions, so that none is open for longer than `/sync` looks back."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction

from accounts.models import User

BOUNDS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")


def bounds(on: Any) -> list[str]:
    with on.cursor() as cursor:
        return [cursor.execute(f"SHOW {name}").fetchone()[0] for name in BOUNDS]


@pytest.fixture
def brief(committed: None, settings: Any) -> Iterator[Any]:
    """A connection of its own whose transactions may last half a second."""
    settings.TRANSACTION_SECONDS = 0.5
    other = connection.copy("brief")
    yield other
    other.close()
    other.close_pool()


def test_every_connection_is_bounded_to_half_a_minute(db: None) -> None:
    assert bounds(connection) == ["6s", "15s", "15s", "30s"]


def test_a_transaction_that_takes_too_long_is_ended_and_rolled_back(brief: Any, alice: User) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        write_and_go_on(brief, until=began + 5)
    assert time.monotonic() - began < 3
    assert User.objects.get().about == ""


def write_and_go_on(brief: Any, *, until: float) -> None:
    brief.ensure_connection()
    brief.set_autocommit(False)
    with brief.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET about = 'held'")
        while time.monotonic() < until:
            cursor.execute("SELECT pg_sleep(0.1)")


def test_an_idle_transaction_is_ended_too(brief: Any, alice: User) -> None:
    brief.ensure_connection()
    brief.set_autocommit(False)
    with brief.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET about = 'held'")
    # The row is free again as soon as the server has ended that transaction.
    with transaction.atomic():
        assert User.objects.select_for_update().get().about == ""


def test_migrations_take_their_time_but_not_for_locks_and_nobody_else_does(committed: None, monkeypatch: Any) -> None:
    seen = []
    monkeypatch.setattr(
        "django.core.management.commands.migrate.Command.handle", lambda *_, **__: seen.append(bounds(connection))
    )
    call_command("migrate")
    assert seen == [["250ms", "0", "0", "0"]]
    assert bounds(connection) == ["6s", "15s", "15s", "30s"]
