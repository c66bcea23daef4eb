"""Whether the parts that Parley needs answer, asked so that a part which hangs holds nobody up."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import psycopg
from botocore.config import Config
from django.conf import settings
from django.core.files.storage import storages

from chatproject.core.database import connection_parameters, without_connection
from chatproject.core.redis import redis
from messaging.retention.partitions import weeks_ahead

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that all parts together are given."""


def state() -> dict[str, bool]:
    """Ask every part at once; what has not answered in time is down."""
    asked = {name: _ask(name) for name in PROBES}
    with without_connection():
        wait(asked.values(), timeout=PATIENCE)
    return {name: _works(name, answer) for name, answer in asked.items()}


def weeks_ready() -> int | None:
    """Ask the database how many weeks are ready; None if it does not say in time."""
    answer = _executor("metrics").submit(_weeks_ahead)
    with without_connection():
        wait([answer], timeout=PATIENCE)
    return _weeks_of(answer)


def _ask(name: str) -> "Future[bool]":
    return _executor(name).submit(PROBES[name])


@cache
def _executor(name: str) -> ThreadPoolExecutor:
    """One thread for each part: while a question hangs, the next ones wait behind it and are withdrawn in time."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"health-{name}")


def _works(name: str, answer: "Future[bool]") -> bool:
    if not answer.done():
        answer.cancel()
        logger.warning("%s does not answer in time", name)
        return False
    if (error := answer.exception()) is not None:
        logger.warning("%s does not answer: %s", name, error)
        return False
    return answer.result()


def _weeks_of(answer: "Future[int]") -> int | None:
    if answer.done() and answer.exception() is None:
        return answer.result()
    answer.cancel()
    return None


def _database() -> bool:
    with _connection() as connection:
        connection.execute("SELECT 1")
    return True


def _partitions() -> bool:
    return _weeks_ahead() >= 1


def _weeks_ahead() -> int:
    with _connection() as connection:
        return weeks_ahead(on=connection)


def _connection() -> "psycopg.Connection[Any]":
    """A connection of its own, so that one which hangs is not handed to anybody else."""
    bounds = {"connect_timeout": 2, "tcp_user_timeout": 2000}
    return psycopg.connect(**connection_parameters() | bounds, autocommit=True)


def _redis() -> bool:
    return bool(redis().ping())


def _storage() -> bool:
    _impatient_storage().exists("readyz")
    return True


@cache
def _impatient_storage() -> Any:
    """The storage for media, with less patience than an upload has."""
    storage: Any = storages.create_storage(dict(settings.STORAGES["default"]))  # type: ignore[call-overload]
    impatience = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
    storage.client_config = storage.client_config.merge(impatience)
    return storage


PROBES: dict[str, Callable[[], bool]] = {
    "database": _database,
    "redis": _redis,
    "storage": _storage,
    "partitions": _partitions,
}
