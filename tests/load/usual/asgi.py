"""The door for daphne."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.load.usual.settings"
http = get_asgi_application()

from tests.load.usual.consumers import ChatConsumer  # noqa: E402 (models, once Django knows its apps)

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter([path("ws/chat", ChatConsumer.as_asgi())])})
