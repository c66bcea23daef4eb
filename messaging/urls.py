from django.urls import URLPattern, URLResolver, path

from messaging.api import MessageViewSet, ReceiptViewSet
from messaging.views import conversation, inbox

pages: list[URLPattern | URLResolver] = [
    path("", inbox, name="inbox"),
    path("conversations/<uuid:conversation_id>", conversation, name="conversation"),
]

api: list[URLPattern | URLResolver] = [
    path("messages", MessageViewSet.as_view({"post": "create"})),
    path("messages/conversation/<id>", MessageViewSet.as_view({"get": "conversation"})),
    path("messages/friend/<id>", MessageViewSet.as_view({"get": "friend"})),
    path("messages/<pk>", MessageViewSet.as_view({"get": "retrieve"})),
    path("conversations/<pk>/read", ReceiptViewSet.as_view({"post": "read"})),
]
