"""The beginning and the end of a server process (ASGI's lifespan)."""

import gc
import logging
import resource
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from chatproject.core.database import in_thread
from messaging.management.demo_people import DemoIsOpen, require_closed_demo
from messaging.messages.group_commit import group_commit
from messaging.realtime.hub import hub
from messaging.receipts.batcher import watermark_batcher

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve the process from its start to its end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _settle_in()
            _allow_many_connections()
            try:
                await _require_closed_demo()
            except DemoIsOpen as reason:
                await send({"type": "lifespan.startup.failed", "message": str(reason)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await group_commit().drain()
            await watermark_batcher().drain()
            await hub().stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _settle_in() -> None:
    """Let the garbage collector leave alone what was loaded, and look less often at the rest: little is cyclic."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _require_closed_demo() -> None:
    """Raise DemoIsOpen where others would be let in as the demo's people. `prepare` has asked the same before."""
    if not settings.EXPOSED_BY:
        return
    try:
        await in_thread(require_closed_demo)()
    except DatabaseError:
        logger.warning("the database does not answer, so nobody knows whether the demo's people are in it")


def _allow_many_connections() -> None:
    """Let the process have as many files open as the system lets it: every connection is one, and 1,024 are few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
