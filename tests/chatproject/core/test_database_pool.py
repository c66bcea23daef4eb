"""The pool of connections that threads share."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from django.db import connection

from chatproject.core.database import connection_parameters

THREADS = 8


@pytest.mark.usefixtures("committed")
def test_after_a_restart_of_the_database_nobody_waits_for_the_lost_connections() -> None:
    all_have_one = Barrier(THREADS)

    def use(_: int) -> int:
        connection.ensure_connection()
        all_have_one.wait()
        pid: int = connection.connection.info.backend_pid
        connection.close()
        return pid

    connection.close()
    with ThreadPoolExecutor(THREADS) as pool, psycopg.connect(**connection_parameters(), autocommit=True) as own:
        lost = list(pool.map(use, range(THREADS)))
        own.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS t(pid)", [lost])
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert time.monotonic() - began < 2
