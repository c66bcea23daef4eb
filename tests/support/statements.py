"""What PostgreSQL itself was asked to do, read from its log."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from chatproject.embedded.data_folder import DataFolder

# Autovacuum would take transaction numbers of its own.
SETTINGS = {"log_statement": "'all'", "log_line_prefix": "'<%p %d> '", "autovacuum": "off"}
ENTRY = re.compile(r"^<(?P<backend>\d+) (?P<database>\S*)> LOG:  (?:statement|execute [^:]*): (?P<sql>.*)", re.DOTALL)


class Statement(NamedTuple):
    backend: int
    sql: str


class StatementLog:
    """PostgreSQL's log file, from a moment on."""

    def __init__(self, database: str) -> None:
        self.file = DataFolder.of(os.environ).log("postgres")
        self._database = database
        self._from = 0

    def forget(self) -> None:
        """Look only at what comes from now on."""
        self._from = self.file.stat().st_size

    def text(self) -> str:
        with self.file.open(errors="replace") as lines:
            lines.seek(self._from)
            return lines.read()

    def statements(self) -> list[Statement]:
        """Every statement in the tests' database, in order."""
        entries = map(ENTRY.match, re.split(r"\n(?!\t)", self.text()))
        known = [entry for entry in entries if entry and entry["database"] == self._database]
        return [Statement(int(entry["backend"]), " ".join(entry["sql"].split())) for entry in known]


@contextmanager
def logged_statements(database: str) -> Iterator[StatementLog]:
    """Let PostgreSQL log every statement for as long as the block lasts."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        connection.execute("SELECT pg_reload_conf()")
        try:
            log = StatementLog(database)
            log.forget()
            yield log
        finally:
            for name in SETTINGS:
                connection.execute(f"ALTER SYSTEM RESET {name}")
            connection.execute("SELECT pg_reload_conf()")


def transactions_so_far(database_url: str) -> int:
    """How many transactions that wrote something the whole PostgreSQL has begun."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
        assert row is not None
        return int(row[0])
