"""The tables that migrations are tried on."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from chatproject.core.database import connection_parameters
from tests.chatproject.core.drawer import Drawer, add_week, execute


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
