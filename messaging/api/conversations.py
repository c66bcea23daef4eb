"""The REST door to conversations, and to the personal settings of their participants."""

from typing import Any
from uuid import UUID

from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.models import User
from accounts.people.references import find_user, find_users
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, envelope_page, flag_of, limit_of, path_id
from conversations import creation, groups
from conversations.events import PlaceJSON
from conversations.models import Conversation
from conversations.personal_settings import update_settings
from messaging.api.conversation_serializers import GroupChange, NewConversation, PlaceChange
from messaging.messages.json import ConversationJSON
from messaging.sync.inbox import list_conversations, show_conversation, show_membership


class ConversationViewSet(API):
    """`/conversations`."""

    @described("listConversations", ConversationJSON, pagination="cursor", query="limit cursor archived")
    def list(self, request: SignedIn) -> Response:
        """My conversations."""
        return envelope_page(
            list_conversations(
                by=request.user,
                limit=limit_of(request),
                cursor=request.query_params.get("cursor"),
                archived=flag_of(request, "archived"),
            )
        )

    @described("createConversation", ConversationJSON, status=201, also=200, body=NewConversation, errors="404 409 422")
    def create(self, request: SignedIn) -> Response:
        """Start a direct conversation (200 if it exists already) or create a group."""
        data = self.body(request, NewConversation)
        if data.pop("kind") == Conversation.Kind.DIRECT:
            conversation, is_new = creation.start_direct(by=request.user, to=find_user(data["to"], by=request.user))
        else:
            conversation, is_new = self._create_group(request.user, data), True
        return conversation_response(request.user, conversation.pk, 201 if is_new else 200)

    @described("getConversation", ConversationJSON, has_etag=True)
    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """One conversation as I see it."""
        return conversation_response(request.user, path_id(pk))

    @described("updateConversation", ConversationJSON, body=GroupChange, errors="409 422")
    def update(self, request: SignedIn, pk: str) -> Response:
        """Change a group's name, description or history."""
        id = path_id(pk)
        groups.update_group(by=request.user, conversation_id=id, **self.body(request, GroupChange))
        return conversation_response(request.user, id)

    @described("deleteConversation", errors="409")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """Delete a group."""
        groups.delete_group(by=request.user, conversation_id=path_id(pk))
        return Response(status=204)

    def _create_group(self, by: User, data: dict[str, Any]) -> Conversation:
        data.pop("to", None)
        members = find_users(data.pop("participants", ()), by=by)
        return creation.create_group(by=by, participants=members, **data)


class MembershipViewSet(API):
    """`/conversations/{id}/me`."""

    @described("updatePlace", PlaceJSON, body=PlaceChange)
    def update(self, request: SignedIn, pk: str) -> Response:
        """Change my personal settings of a conversation."""
        participant = update_settings(by=request.user, conversation_id=path_id(pk), **self.body(request, PlaceChange))
        return envelope(show_membership(participant))


def conversation_response(by: User, id: UUID, status: int = 200) -> Response:
    """Return a conversation as the person sees it now."""
    return envelope(show_conversation(by=by, conversation_id=id), status)
