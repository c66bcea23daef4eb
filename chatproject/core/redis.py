"""Redis for what is short-lived: tickets, limits. Nothing that must not be lost is kept there."""

from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from chatproject.core.database import without_connection


class Client(Redis):
    """A client for threads, which keeps no connection to the database while it waits for an answer."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with without_connection():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


@cache
def redis() -> Client:
    """The process's client; a call that Redis does not answer within two seconds fails.

    By default the library would repeat it: whoever waits would wait several times, and what it counts count twice.
    """
    once_more = Retry(NoBackoff(), 1, supported_errors=(Disconnected,))
    client: Client = Client.from_url(  # type: ignore[assignment]
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=once_more
    )
    return client
