from django.urls import path

from messaging.consumers import ChatConsumer

websocket = [path("ws/chat", ChatConsumer.as_asgi())]
