"""Routes of the API that answer with conversations, messages and media."""

from django.urls import URLPattern, URLResolver, path

from messaging.api.conversations import ConversationViewSet, MembershipViewSet
from messaging.api.groups import GroupViewSet, LinkViewSet, MemberViewSet
from messaging.api.media import MediaViewSet
from messaging.api.messages import MessageViewSet, ReactionViewSet, ReceiptViewSet
from messaging.api.presence import PresenceViewSet
from messaging.api.reports import ReportViewSet
from messaging.api.staff import ConnectedViewSet
from messaging.api.sync import SyncViewSet

urlpatterns: list[URLPattern | URLResolver] = [
    path("conversations", ConversationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "conversations/<pk>", ConversationViewSet.as_view({"get": "retrieve", "patch": "update", "delete": "destroy"})
    ),
    path("conversations/<pk>/me", MembershipViewSet.as_view({"patch": "update"})),
    path("conversations/<pk>/leave", GroupViewSet.as_view({"post": "leave"})),
    path("conversations/<pk>/transfer", GroupViewSet.as_view({"post": "transfer"})),
    path("conversations/<pk>/participants", MemberViewSet.as_view({"get": "list", "post": "create"})),
    path("conversations/<pk>/participants/<id>", MemberViewSet.as_view({"patch": "update", "delete": "destroy"})),
    path("conversations/<pk>/invite-links", LinkViewSet.as_view({"get": "list", "post": "create"})),
    path("conversations/<pk>/invite-links/<id>", LinkViewSet.as_view({"delete": "destroy"})),
    path("invite-links/<token>/accept", LinkViewSet.as_view({"post": "accept"})),
    path("messages", MessageViewSet.as_view({"post": "create"})),
    path("messages/conversation/<id>", MessageViewSet.as_view({"get": "conversation"})),
    path("messages/friend/<id>", MessageViewSet.as_view({"get": "friend"})),
    path("messages/<pk>", MessageViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path("messages/<pk>/status", MessageViewSet.as_view({"get": "status"})),
    path("messages/<pk>/reactions/<emoji>", ReactionViewSet.as_view({"put": "update", "delete": "destroy"})),
    path("conversations/<pk>/changes", SyncViewSet.as_view({"get": "changes"})),
    path("conversations/<pk>/delivered", ReceiptViewSet.as_view({"post": "delivered"})),
    path("conversations/<pk>/read", ReceiptViewSet.as_view({"post": "read"})),
    path("media/uploads", MediaViewSet.as_view({"post": "begin"})),
    path("media/<pk>", MediaViewSet.as_view({"get": "retrieve"})),
    path("media/<pk>/complete", MediaViewSet.as_view({"post": "complete"})),
    path("media/<pk>/state", MediaViewSet.as_view({"get": "state"})),
    path("media/<pk>/thumbnail", MediaViewSet.as_view({"get": "thumbnail"})),
    path("reports", ReportViewSet.as_view({"get": "list", "post": "create"})),
    path("ws/stats", ConnectedViewSet.as_view({"get": "stats"})),
    path("ws/users", ConnectedViewSet.as_view({"get": "list"})),
    path("ws/users/<pk>", ConnectedViewSet.as_view({"delete": "disconnect"})),
    path("ws/conversations/<pk>/participants", ConnectedViewSet.as_view({"get": "participants"})),
    path("ws/conversations/<pk>/broadcast", ConnectedViewSet.as_view({"post": "broadcast_in"})),
    path("ws/broadcast", ConnectedViewSet.as_view({"post": "broadcast"})),
    path("sync", SyncViewSet.as_view({"get": "sync"})),
    path("users/<pk>/presence", PresenceViewSet.as_view({"get": "presence"})),
]
