from django.urls import URLPattern, URLResolver, path

from conversations.api import ConversationViewSet
from conversations.views import new_conversation

pages: list[URLPattern | URLResolver] = [path("conversations/new", new_conversation, name="new_conversation")]

api: list[URLPattern | URLResolver] = [
    path("conversations", ConversationViewSet.as_view({"get": "list", "post": "create"})),
    path("conversations/<pk>", ConversationViewSet.as_view({"get": "retrieve"})),
]
