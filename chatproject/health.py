"""Whether the services that Parley needs answer. A service that hangs does not delay the answer about the others."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any, TypeVar

import psycopg
from botocore.config import Config
from django.conf import settings
from django.core.files.storage import storages

from chatproject.core.database import connection_parameters, without_connection
from chatproject.core.redis import redis
from chatproject.keys.reporter import reporter
from conversations.change_log.delays import Delay, delays
from messaging.followers import FOLLOWERS
from messaging.retention.partitions import weeks_ahead

logger = logging.getLogger(__name__)

T = TypeVar("T")

TIMEOUT_SECONDS = 2.0
"""Seconds within which all services have to answer."""


def service_states() -> dict[str, bool]:
    """Probe all services at once; one that has not answered in time is down."""
    probes = {name: _start(name) for name in PROBES}
    with without_connection():
        wait(probes.values(), timeout=TIMEOUT_SECONDS)
    return {name: _works(name, answer) for name, answer in probes.items()}


def weeks_ready() -> int | None:
    """Return how many weeks ahead have partitions; None if the database does not answer in time."""
    return _answer_for_metrics(_weeks_ahead)


def follower_delays() -> list[Delay]:
    """Return how far the followers of the change log are behind; nothing if the database does not answer in time."""
    return _answer_for_metrics(_delays) or []


def _start(name: str) -> "Future[bool]":
    return _executor(name).submit(PROBES[name])


@cache
def _executor(name: str) -> ThreadPoolExecutor:
    """Return the one thread for a service: while a probe hangs, later ones queue, and are cancelled in time."""
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


def _answer_for_metrics(probe: Callable[[], T]) -> T | None:
    answer = _executor("metrics").submit(probe)
    with without_connection():
        wait([answer], timeout=TIMEOUT_SECONDS)
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


def _delays() -> list[Delay]:
    with _connection() as connection:
        return delays([follower.name for follower in FOLLOWERS], on=connection)


def _connection() -> "psycopg.Connection[Any]":
    """Open a separate connection, so that one which hangs is not given to anybody else."""
    timeouts = {"connect_timeout": 2, "tcp_user_timeout": 2000}
    return psycopg.connect(**connection_parameters() | timeouts, autocommit=True)


def _keys() -> bool:
    return reporter.is_ready


def _redis() -> bool:
    return bool(redis().ping())


def _storage() -> bool:
    _storage_with_timeouts().exists("readyz")
    return True


@cache
def _storage_with_timeouts() -> Any:
    """Return the media storage with shorter timeouts than uploads have."""
    storage: Any = storages.create_storage(dict(settings.STORAGES["default"]))  # type: ignore[call-overload]
    timeouts = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
    storage.client_config = storage.client_config.merge(timeouts)
    return storage


PROBES: dict[str, Callable[[], bool]] = {
    "database": _database,
    "redis": _redis,
    "storage": _storage,
    "partitions": _partitions,
    "keys": _keys,
}
