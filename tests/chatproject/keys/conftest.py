"""A registry of its own for a test: the servers that other tests share report to another one."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from chatproject.core.database import connection_parameters
from chatproject.keys.preparation import own_connection
from chatproject.keys.registry import LOCK
from chatproject.models import EncryptionKey, ServerReport

SCHEMA = "keys_of_a_test"
TABLES = ("chatproject_encryptionkey", "chatproject_serverreport")
Run = Callable[..., list[Any]]


@pytest.fixture
def empty_registry(db: None) -> None:
    """Begin with an empty registry, into which nobody else writes until the end of the test."""
    own_connection().execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    ServerReport.objects.all().delete()
    EncryptionKey.objects.all().delete()


@pytest.fixture
def own_registry(committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Give this test's processes an empty registry, and a function that runs a statement there."""
    options = f"-c search_path={SCHEMA},public"
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "options", options)
    with psycopg.connect(**connection_parameters(), autocommit=True) as own:
        own.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        own.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            own.execute(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
        monkeypatch.setenv("DATABASE_URL", _with_options(options))

        def run(sql: str, *values: Any) -> list[Any]:
            cursor = own.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

        yield run
        own.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _with_options(options: str) -> str:
    return make_conninfo(os.environ["DATABASE_URL"], options=options)
