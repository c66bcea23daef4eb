"""`/healthz` and `/readyz`: whether a server is alive, and which of its parts does not answer."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from django.db import connection

from messaging.retention.partitions import partitions
from tests.support.server import Server, running

ALL_IS_WELL = {"database": True, "redis": True, "storage": True, "partitions": True, "keys": True}

SILENT = {
    "DATABASE_URL": "postgresql://127.0.0.1:{port}/parley",
    "REDIS_URL": "redis://127.0.0.1:{port}/0",
    "S3_ENDPOINT_URL": "http://127.0.0.1:{port}",
}


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield listener.getsockname()[1]


@pytest.fixture
def ready(server: Server) -> Server:
    """A server that has made its clients: loading the storage's may take a busy machine longer than it has."""
    deadline = time.monotonic() + 20
    while httpx.get(f"{server.url}/readyz").status_code != httpx.codes.OK:
        assert time.monotonic() < deadline, "it never gets ready"
    return server


def test_a_server_with_all_its_parts_is_ready(ready: Server) -> None:
    answer = httpx.get(f"{ready.url}/readyz")
    assert (answer.status_code, answer.json()) == (200, ALL_IS_WELL)
    assert httpx.get(f"{ready.url}/healthz").text == "ok\n"


def test_it_says_that_the_weeks_ahead_are_missing(ready: Server) -> None:
    away = sorted(partitions())[2:]
    with connection.cursor() as cursor:
        for name in away:
            cursor.execute(f"ALTER TABLE {name} RENAME TO away_{name}")
        try:
            answer = httpx.get(f"{ready.url}/readyz")
        finally:
            for name in away:
                cursor.execute(f"ALTER TABLE away_{name} RENAME TO {name}")
    assert (answer.status_code, answer.json()) == (503, {**ALL_IS_WELL, "partitions": False})


@pytest.fixture
def deaf(committed: None, silent: int) -> Iterator[Callable[..., Server]]:
    """Start a server some of whose parts never answer: `deaf("REDIS_URL")`."""
    with ExitStack() as started:

        def start(*names: str) -> Server:
            with pytest.MonkeyPatch.context() as environ:
                for name in names:
                    environ.setenv(name, SILENT[name].format(port=silent))
                return started.enter_context(running())

        yield start


@pytest.mark.long
def test_a_part_that_hangs_is_named_within_three_seconds(deaf: Callable[..., Server]) -> None:
    servers = {deaf(*SILENT): set(ALL_IS_WELL), deaf("REDIS_URL"): {"redis"}}
    with ThreadPoolExecutor() as at_once:
        seen = at_once.map(parts_that_are_down, servers)
    assert list(seen) == list(servers.values())


def parts_that_are_down(server: Server) -> set[str]:
    """Ask for them twice, the second time against the clock; require that the server lives."""
    httpx.get(f"{server.url}/readyz", timeout=20)  # makes the clients
    began = time.monotonic()
    answer = httpx.get(f"{server.url}/readyz")
    assert time.monotonic() - began < 3
    assert answer.status_code == 503
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    return {name for name, works in answer.json().items() if not works}
