"""Startup and shutdown of a server process (ASGI lifespan)."""

import asyncio
import gc
import logging
import resource
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from chatproject.core.database import in_thread
from chatproject.keys.preparation import UnknownKey
from chatproject.keys.reporter import reporter
from chatproject.server.django_handler import threads
from messaging.fast_reads.connections import read_connections
from messaging.management.demo.open_accounts import DemoIsOpen, require_closed_demo
from messaging.messages.group_commit import group_commit
from messaging.realtime.hub import hub
from messaging.receipts.batcher import watermark_batcher

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Handle the startup and the shutdown of the process."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _tune_garbage_collector()
            _allow_many_connections()
            try:
                await _require_closed_demo()
                await start_reporting()
            except (DemoIsOpen, UnknownKey) as reason:
                await send({"type": "lifespan.startup.failed", "message": str(reason)})
                return
            hub().start()
            threads()
            await send({"type": "lifespan.startup.complete"})
        else:
            await group_commit().drain()
            await watermark_batcher().drain()
            await read_connections().close()
            await hub().stop()
            await asyncio.to_thread(reporter.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return


async def start_reporting() -> None:
    """Report which keys this process knows, from now on. Raises UnknownKey if it does not know the current one."""
    await asyncio.to_thread(reporter.start, "web")


def _tune_garbage_collector() -> None:
    """Exempt everything loaded so far from garbage collection, and collect the rest less often: few cycles arise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _require_closed_demo() -> None:
    """Raise DemoIsOpen if others could sign in as the demo's people. `prepare` checks the same."""
    if not settings.EXPOSED_BY:
        return
    try:
        await in_thread(require_closed_demo)()
    except DatabaseError:
        logger.warning("the database does not answer, so it is unknown whether the demo's people are in it")


def _allow_many_connections() -> None:
    """Raise the limit of open files to the system's maximum: each connection needs one, and 1,024 are too few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
