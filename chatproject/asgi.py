"""The ASGI application for HTTP and WebSocket, for uvicorn and daphne."""

import logging
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 (apps first)
from django.conf import settings  # noqa: E402

from chatproject.keys.reporter import reporter  # noqa: E402
from chatproject.lifespan import lifespan, start_reporting  # noqa: E402
from chatproject.server.body_limit import BoundedBody  # noqa: E402
from chatproject.server.django_handler import DjangoHandler  # noqa: E402
from chatproject.server.liveness import Liveness  # noqa: E402
from messaging.fast_reads.application import FastReads  # noqa: E402
from messaging.socket.routing import websocket  # noqa: E402

if not settings.CHAT_LIMITS:
    logging.getLogger(__name__).warning("rate limits are off (CHAT_LIMITS): passwords can be guessed without limit")

protocols = ProtocolTypeRouter(
    {
        "http": BoundedBody(Liveness(FastReads(DjangoHandler()))),
        "websocket": URLRouter(websocket),
        "lifespan": lifespan,
    },
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Handle a request, a socket or the life of the process. Under daphne, which has no lifespan, the first one waits
    until this process has reported its keys.
    """
    if not reporter.is_started and scope["type"] != "lifespan":
        await start_reporting()
    await protocols(scope, receive, send)
