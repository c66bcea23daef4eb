"""HTTP and WebSocket under one roof: plain ASGI, for uvicorn and daphne alike."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 (apps first)

from chatproject.bounds import BoundedBody  # noqa: E402
from messaging.routing import websocket  # noqa: E402

application = ProtocolTypeRouter({"http": BoundedBody(http), "websocket": URLRouter(websocket)})
