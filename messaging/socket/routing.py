from django.urls import path

from messaging.socket.consumer import ChatConsumer

websocket = [path("ws/chat", ChatConsumer.as_asgi())]
