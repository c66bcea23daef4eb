"""Redis for what is short-lived: tickets, limits. Nothing that must not be lost is kept there."""

from functools import cache

from django.conf import settings
from redis import Redis


@cache
def redis() -> Redis:
    """The process's client; a call that Redis does not answer within two seconds fails."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
