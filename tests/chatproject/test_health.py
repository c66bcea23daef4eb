"""`/healthz` and `/readyz`: whether a server lives, and which part of it does not."""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from django.db import connection

from messaging.partitions import partitions
from tests.support.server import Server, running

ALL_IS_WELL = {"database": True, "redis": True, "storage": True, "partitions": True}

SILENT = {
    "DATABASE_URL": "postgresql://127.0.0.1:{port}/parley",
    "REDIS_URL": "redis://127.0.0.1:{port}/0",
    "S3_ENDPOINT_URL": "http://127.0.0.1:{port}",
}


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield listener.getsockname()[1]


def test_a_server_with_all_its_parts_is_ready(server: Server) -> None:
    answer = httpx.get(f"{server.url}/readyz")
    assert (answer.status_code, answer.json()) == (200, ALL_IS_WELL)
    assert httpx.get(f"{server.url}/healthz").text == "ok\n"


def test_it_says_that_the_weeks_ahead_are_missing(server: Server) -> None:
    away = sorted(partitions())[2:]
    with connection.cursor() as cursor:
        for name in away:
            cursor.execute(f"ALTER TABLE {name} RENAME TO away_{name}")
        try:
            answer = httpx.get(f"{server.url}/readyz")
        finally:
            for name in away:
                cursor.execute(f"ALTER TABLE away_{name} RENAME TO {name}")
    assert (answer.status_code, answer.json()) == (503, {**ALL_IS_WELL, "partitions": False})


@pytest.mark.parametrize(
    ("variables", "down"),
    [
        (SILENT, set(ALL_IS_WELL)),
        ({"REDIS_URL": SILENT["REDIS_URL"]}, {"redis"}),
    ],
    ids=["all of them", "redis"],
)
@pytest.mark.usefixtures("committed")
def test_a_part_that_hangs_is_named_within_three_seconds(
    variables: dict[str, str], down: set[str], silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(port=silent))
    with running() as server:
        httpx.get(f"{server.url}/readyz")  # makes the clients
        began = time.monotonic()
        answer = httpx.get(f"{server.url}/readyz")
        assert time.monotonic() - began < 3
        assert (answer.status_code, {name for name, works in answer.json().items() if not works}) == (503, down)
        assert httpx.get(f"{server.url}/healthz").status_code == 200
