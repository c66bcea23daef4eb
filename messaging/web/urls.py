"""Pages that show conversations, and those of the staff that show who is connected."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from messaging.web.views import conversation_info as info
from messaging.web.views import invite_link
from messaging.web.views.conversation import conversation, inbox
from messaging.web.views.forward import forward
from messaging.web.views.message import delete, edit, message, react, reply
from messaging.web.views.new_conversation import new_conversation
from messaging.web.views.report import my_reports, report_message, report_person
from messaging.web.views.staff import announce, connected

pages: list[URLPattern | URLResolver] = [
    path("conversations/new", new_conversation, name="new_conversation"),
    path("conversations/<uuid:conversation_id>/info", info.info, name="conversation_info"),
    path("conversations/<uuid:conversation_id>/me", info.personal_settings, name="conversation_settings"),
    path("conversations/<uuid:conversation_id>/details", info.details, name="group_details"),
    path("conversations/<uuid:conversation_id>/people", info.add, name="add_members"),
    path("conversations/<uuid:conversation_id>/people/<uuid:user_id>/role", info.role, name="member_role"),
    path("conversations/<uuid:conversation_id>/people/<uuid:user_id>/remove", info.remove, name="remove_member"),
    path("conversations/<uuid:conversation_id>/links", info.make_link, name="invite_links"),
    path("conversations/<uuid:conversation_id>/links/<uuid:link_id>/revoke", info.revoke_link, name="revoke_link"),
    path("conversations/<uuid:conversation_id>/transfer", info.transfer, name="transfer_group"),
    path("conversations/<uuid:conversation_id>/leave", info.leave, name="leave_group"),
    path("conversations/<uuid:conversation_id>/delete", info.delete, name="delete_group"),
    path("join", invite_link.join_after_sign_in, name="join_after_sign_in"),
    path("join/<token>", invite_link.join, name="join"),
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
