"""The world of the tables, built once for the tests of a file."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from tests.doors.matrix.world import World
from tests.support.redis import empty_redis
from tests.support.tables import empty_tables


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Everyone and everything, committed; leave nothing behind."""
    with django_db_blocker.unblock():
        yield World()
        empty_tables()
        empty_redis()
        connection.close()
