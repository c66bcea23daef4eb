from django.urls import URLPattern, URLResolver, path

from conversations import views_info as info
from conversations import views_join as joining
from conversations.api import ConversationViewSet, PlaceViewSet
from conversations.api_groups import GroupViewSet, LinkViewSet, MemberViewSet
from conversations.views import new_conversation

pages: list[URLPattern | URLResolver] = [
    path("conversations/new", new_conversation, name="new_conversation"),
    path("conversations/<uuid:conversation_id>/info", info.info, name="conversation_info"),
    path("conversations/<uuid:conversation_id>/me", info.place, name="conversation_place"),
    path("conversations/<uuid:conversation_id>/details", info.details, name="group_details"),
    path("conversations/<uuid:conversation_id>/people", info.add, name="add_members"),
    path("conversations/<uuid:conversation_id>/people/<uuid:user_id>/role", info.role, name="member_role"),
    path("conversations/<uuid:conversation_id>/people/<uuid:user_id>/remove", info.remove, name="remove_member"),
    path("conversations/<uuid:conversation_id>/links", info.make_link, name="invite_links"),
    path("conversations/<uuid:conversation_id>/links/<uuid:link_id>/revoke", info.revoke_link, name="revoke_link"),
    path("conversations/<uuid:conversation_id>/transfer", info.hand_over, name="transfer_group"),
    path("conversations/<uuid:conversation_id>/leave", info.leave, name="leave_group"),
    path("conversations/<uuid:conversation_id>/delete", info.delete, name="delete_group"),
    path("join", joining.join_wished, name="join_wished"),
    path("join/<token>", joining.join, name="join"),
]

api: list[URLPattern | URLResolver] = [
    path("conversations", ConversationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "conversations/<pk>", ConversationViewSet.as_view({"get": "retrieve", "patch": "update", "delete": "destroy"})
    ),
    path("conversations/<pk>/me", PlaceViewSet.as_view({"patch": "update"})),
    path("conversations/<pk>/leave", GroupViewSet.as_view({"post": "leave"})),
    path("conversations/<pk>/transfer", GroupViewSet.as_view({"post": "transfer"})),
    path("conversations/<pk>/participants", MemberViewSet.as_view({"get": "list", "post": "create"})),
    path("conversations/<pk>/participants/<id>", MemberViewSet.as_view({"patch": "update", "delete": "destroy"})),
    path("conversations/<pk>/invite-links", LinkViewSet.as_view({"get": "list", "post": "create"})),
    path("conversations/<pk>/invite-links/<id>", LinkViewSet.as_view({"delete": "destroy"})),
    path("invite-links/<token>/accept", LinkViewSet.as_view({"post": "accept"})),
]
