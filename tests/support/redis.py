"""Emptying Redis after a test, but for what shared servers have registered there; and being without it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import override_settings
from redis.exceptions import RedisError

from chatproject.core.rate_limits.limiter import MEMORY
from chatproject.core.rate_limits.outage import Outage
from chatproject.core.redis import redis


def empty_redis() -> None:
    """Forget limits, tickets and what is cached."""
    try:
        _delete_keys()
    except RedisError:
        # A busy machine: the client gives up early.
        _delete_keys()
    MEMORY.clear()
    end_outage()


def _delete_keys() -> None:
    kept = b"presence:"
    if keys := [key for key in redis().scan_iter(count=1000) if not key.startswith(kept)]:
        redis().delete(*keys)


@contextmanager
def redis_at(url: str) -> Iterator[None]:
    """Let this process look for Redis elsewhere."""
    caches = {"default": {**settings.CACHES["default"], "LOCATION": url}}
    with override_settings(REDIS_URL=url, CACHES=caches):
        redis.cache_clear()
        yield
    redis.cache_clear()


@contextmanager
def without_redis() -> Iterator[None]:
    """Let this process find no Redis; it notices at once when there is one again."""
    with redis_at("redis://127.0.0.1:1"):
        yield
    end_outage()


def end_outage() -> None:
    """Let limits ask Redis again at once."""
    Outage.until = 0.0
    Outage.record_success()
