"""How to reach the database beside Django's own connections, and from code that must not wait."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")


def connection_parameters() -> dict[str, Any]:
    """Give psycopg's keyword arguments for a plain connection to the database that Django uses now."""
    known = dict(connections["default"].get_connection_params())
    return {name: known[name] for name in known if name not in {"cursor_factory", "context", "prepare_threshold"}}


def in_thread(work: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let asynchronous code call what uses Django's database, in a thread of several.

    Channels would use one thread for all sockets, and one that waits for a lock would hold up everybody.
    """
    threaded: Callable[P, Coroutine[Any, Any, T]] = database_sync_to_async(work, thread_sensitive=False)
    return threaded
