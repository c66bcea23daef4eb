"""Django's cache in Redis, which nobody has to wait for or stumble over when it is down."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from chatproject.core import redis

logger = logging.getLogger(__name__)


def _forgiving(method: Callable[..., Any], otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def attempt(self: RedisCacheClient, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except RedisError as error:
            logger.warning("the cache does not answer: %s", type(error).__name__)
            return otherwise(*args)

    return attempt


class Client(RedisCacheClient):
    """A client for whom a cache that is down is an empty one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client = redis.Client

    get = _forgiving(RedisCacheClient.get, lambda _, default=None, *__: default)
    set = _forgiving(RedisCacheClient.set, lambda *_: None)
    add = _forgiving(RedisCacheClient.add, lambda *_: True)
    delete = _forgiving(RedisCacheClient.delete, lambda *_: False)
    touch = _forgiving(RedisCacheClient.touch, lambda *_: False)
    get_many = _forgiving(RedisCacheClient.get_many, lambda *_: {})


class Cache(RedisCache):
    """Django's cache backend over `Client`."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client
