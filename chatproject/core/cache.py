"""Django's cache in Redis, which behaves like an empty cache while Redis is down."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from chatproject.core import redis

logger = logging.getLogger(__name__)


def _ignoring_outages(method: Callable[..., Any], fallback: Callable[..., Any]) -> Callable[..., Any]:
    def attempt(self: RedisCacheClient, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except RedisError as error:
            logger.warning("the cache does not answer: %s", type(error).__name__)
            return fallback(*args)

    return attempt


class Client(RedisCacheClient):
    """A client that treats a cache that does not answer as an empty one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client = redis.Client

    get = _ignoring_outages(RedisCacheClient.get, lambda _, default=None, *__: default)
    set = _ignoring_outages(RedisCacheClient.set, lambda *_: None)
    add = _ignoring_outages(RedisCacheClient.add, lambda *_: True)
    delete = _ignoring_outages(RedisCacheClient.delete, lambda *_: False)
    touch = _ignoring_outages(RedisCacheClient.touch, lambda *_: False)
    get_many = _ignoring_outages(RedisCacheClient.get_many, lambda *_: {})


class Cache(RedisCache):
    """Django's cache backend with `Client`."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
