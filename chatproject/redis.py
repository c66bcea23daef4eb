"""Redis for what is short-lived: tickets, limits. Nothing that must not be lost is kept there."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry


@cache
def redis() -> Redis:
    """The process's client; a call that Redis does not answer within two seconds fails.

    By default the library would repeat it: whoever waits would wait several times, and what it counts count twice.
    """
    once_more = Retry(NoBackoff(), 1, supported_errors=(Disconnected,))
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=once_more)
