"""The ASGI application for HTTP and WebSocket, for uvicorn and daphne."""

import logging
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 (apps first)
from django.conf import settings  # noqa: E402

from chatproject.lifespan import lifespan  # noqa: E402
from chatproject.server.body_limit import BoundedBody  # noqa: E402
from messaging.socket.routing import websocket  # noqa: E402

if not settings.CHAT_LIMITS:
    logging.getLogger(__name__).warning("rate limits are off (CHAT_LIMITS): passwords can be guessed without limit")

application = ProtocolTypeRouter(
    {"http": BoundedBody(http), "websocket": URLRouter(websocket), "lifespan": lifespan},
)
