"""Connections to the tests' database, to end some of them: others belong to threads that go on using them."""

from collections.abc import Collection

from django.db import connection

OPEN = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"


def backends() -> set[int]:
    """Return the processes of the database that serve the connections which are open now."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN)
        return {pid for (pid,) in cursor.fetchall()}


def end_backends(*, but: Collection[int]) -> int:
    """End all connections except these, and return how many."""
    ended = backends() - set(but)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS t(pid)", [list(ended)])
    return len(ended)
