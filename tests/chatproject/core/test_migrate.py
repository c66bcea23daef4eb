"""`manage.py migrate`: one server at a time, and short waits for locks that are tried again."""

import threading
import time
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import connection, transaction

from chatproject.core import migration_locks
from chatproject.core.database import connection_parameters
from chatproject.core.migration_locks import LOCK
from tests.chatproject.core.test_transactions import bounds

pytestmark = pytest.mark.usefixtures("committed", "impatient")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server ask often whether another one has finished."""
    monkeypatch.setattr(migration_locks, "POLL_SECONDS", 0.02)


def test_two_servers_that_migrate_at_once_do_it_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, most = [], []

    def handle(*_: Any, **__: Any) -> None:
        at_work.append(1)
        most.append(len(at_work))
        time.sleep(0.1)
        at_work.pop()

    def serve() -> None:
        call_command("migrate", stderr=said)
        connection.close()

    monkeypatch.setattr(migrate.Command, "handle", handle)
    said = StringIO()
    servers = [threading.Thread(target=serve) for _ in range(3)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    assert most == [1, 1, 1]
    assert "Another server is migrating" in said.getvalue()


def test_who_waits_for_another_server_has_no_snapshot_that_an_index_build_would_wait_for() -> None:
    with psycopg.connect(**connection_parameters(), autocommit=True) as other:
        other.execute("CREATE TABLE built (id int)")
        other.execute(f"SELECT pg_advisory_lock({LOCK})")
        waiting = threading.Thread(target=lambda: (call_command("migrate", verbosity=0), connection.close()))
        waiting.start()
        time.sleep(0.1)
        other.execute("SET statement_timeout = '5s'")
        other.execute("CREATE INDEX CONCURRENTLY built_id ON built (id)")
        other.execute("DROP TABLE built")
        other.execute(f"SELECT pg_advisory_unlock({LOCK})")
        waiting.join()


def lock_briefly(*_: Any, **__: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")


def in_a_transaction(work: Any) -> Any:
    def handle(*args: Any, **options: Any) -> None:
        with transaction.atomic():
            work(*args, **options)

    return handle


def test_a_migration_that_finds_a_table_in_use_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate.Command, "handle", in_a_transaction(lock_briefly))
    said = StringIO()
    with psycopg.connect(**connection_parameters()) as reading:
        reading.execute("SELECT 1 FROM accounts_user")
        timer = threading.Timer(0.4, reading.commit)
        timer.start()
        call_command("migrate", stderr=said)
        timer.join()
    assert "the next attempt is in" in said.getvalue()
    assert bounds(connection) == ["6s", "15s", "15s", "30s"]


def test_a_migration_that_never_gets_its_table_ends_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate.Command, "handle", in_a_transaction(lock_briefly))
    monkeypatch.setattr(migration_locks, "RETRY_SECONDS", 0.1)
    with psycopg.connect(**connection_parameters()) as reading:
        reading.execute("SELECT 1 FROM accounts_user")
        with pytest.raises(CommandError, match="end the long transaction"):
            call_command("migrate", stderr=StringIO())
    with psycopg.connect(**connection_parameters()) as other:
        assert other.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchone() == (True,)


def test_what_else_fails_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def handle(*_: Any, **__: Any) -> None:
        calls.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM nowhere")

    monkeypatch.setattr(migrate.Command, "handle", handle)
    with pytest.raises(Exception, match="nowhere"):
        call_command("migrate")
    assert calls == [1]
    assert bounds(connection) == ["6s", "15s", "15s", "30s"]
