"""The Redis client for threads. Redis holds only short-lived data, such as tickets and limits, that may be lost."""

from functools import cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from chatproject.core.database import without_connection


class Client(Redis):
    """A client for threads that holds no database connection while it waits for an answer."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with without_connection():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]


@cache
def redis() -> Client:
    """Return the client of this process; a call that Redis does not answer within two seconds fails.

    By default the library would repeat a call that timed out: the wait would be several times as long, and a count
    could be taken twice.
    """
    retry_disconnected = Retry(NoBackoff(), 1, supported_errors=(Disconnected,))
    client: Client = Client.from_url(  # type: ignore[assignment]
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=retry_disconnected
    )
    return client
