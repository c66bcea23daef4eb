"""The beginning and the end of a server process (ASGI's lifespan)."""

import gc
from collections.abc import Awaitable, Callable
from typing import Any

from messaging.gathering import gatherer
from messaging.hub import hub
from messaging.lane import lane

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve the process from its start to its end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _settle_in()
            await send({"type": "lifespan.startup.complete"})
        else:
            await lane().drain()
            await gatherer().drain()
            await hub().stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def _settle_in() -> None:
    """Let the garbage collector leave alone what was loaded, and look less often at the rest: little is cyclic."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
