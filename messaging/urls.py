from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from messaging.api import MessageViewSet, ReactionViewSet, ReceiptViewSet
from messaging.api_media import MediaViewSet
from messaging.api_reports import ReportViewSet
from messaging.api_staff import ConnectedViewSet
from messaging.api_sync import CatchingUpViewSet
from messaging.views import conversation, inbox
from messaging.views_forward import forward
from messaging.views_message import delete, edit, message, react, reply
from messaging.views_report import my_reports, report_message, report_person
from messaging.views_staff import announce, connected

pages: list[URLPattern | URLResolver] = [
    path("", inbox, name="inbox"),
    path("archived", inbox, {"archived": True}, name="archived"),
    path("conversations/<uuid:conversation_id>", conversation, name="conversation"),
    path("messages/<uuid:message_id>", message, name="message"),
    path("messages/<uuid:message_id>/react", react, name="react"),
    path("messages/<uuid:message_id>/reply", reply, name="reply"),
    path("messages/<uuid:message_id>/forward", forward, name="forward"),
    path("messages/<uuid:message_id>/edit", edit, name="edit_message"),
    path("messages/<uuid:message_id>/delete", delete, name="delete_message"),
    path("messages/<uuid:message_id>/report", report_message, name="report_message"),
    path("people/<uuid:user_id>/report", report_person, name="report_person"),
    path("settings/reports", my_reports, name="settings_reports"),
]

staff: list[URLPattern | URLResolver] = [
    path("connected/", admin.site.admin_view(connected), name="staff_connected"),
    path("announce/", admin.site.admin_view(announce), name="staff_announce"),
]

api: list[URLPattern | URLResolver] = [
    path("messages", MessageViewSet.as_view({"post": "create"})),
    path("messages/conversation/<id>", MessageViewSet.as_view({"get": "conversation"})),
    path("messages/friend/<id>", MessageViewSet.as_view({"get": "friend"})),
    path("messages/<pk>", MessageViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})),
    path("messages/<pk>/status", MessageViewSet.as_view({"get": "status"})),
    path("messages/<pk>/reactions/<emoji>", ReactionViewSet.as_view({"put": "update", "delete": "destroy"})),
    path("conversations/<pk>/changes", CatchingUpViewSet.as_view({"get": "changes"})),
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
    path("sync", CatchingUpViewSet.as_view({"get": "sync"})),
]
