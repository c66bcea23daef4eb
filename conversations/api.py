"""The REST door to conversations."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.profiles import find_user, find_users
from chatproject.api import API, SignedIn, envelope, envelope_page, limit_of, path_id
from conversations import commands, groups
from conversations.access import Invalid
from conversations.models import Conversation
from conversations.serializers import GroupChange, NewConversation
from messaging.inbox import list_conversations, show_conversation


class ConversationViewSet(API):
    """`/conversations`."""

    def list(self, request: SignedIn) -> Response:
        """My conversations."""
        return envelope_page(
            list_conversations(
                by=request.user,
                limit=limit_of(request),
                cursor=request.query_params.get("cursor"),
                archived=truth_of(request, "archived"),
            )
        )

    def create(self, request: SignedIn) -> Response:
        """Start a direct conversation (200 if it is there already) or make a group."""
        said = self.body(request, NewConversation)
        if said.pop("kind") == Conversation.Kind.DIRECT:
            conversation, is_new = commands.start_direct(by=request.user, to=find_user(said["to"]))
        else:
            conversation, is_new = self._create_group(request.user, said), True
        shown = show_conversation(by=request.user, conversation_id=conversation.pk)
        return envelope(shown, 201 if is_new else 200)

    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """One conversation as I see it."""
        return envelope(show_conversation(by=request.user, conversation_id=path_id(pk)))

    def update(self, request: SignedIn, pk: str) -> Response:
        """Change a group's name, description or history."""
        id = path_id(pk)
        groups.update_group(by=request.user, conversation_id=id, **self.body(request, GroupChange))
        return envelope(show_conversation(by=request.user, conversation_id=id))

    def destroy(self, request: SignedIn, pk: str) -> Response:
        """Delete a group."""
        groups.delete_group(by=request.user, conversation_id=path_id(pk))
        return Response(status=204)

    def _create_group(self, by: User, said: dict[str, Any]) -> Conversation:
        said.pop("to", None)
        members = find_users(said.pop("participants", ()))
        return commands.create_group(by=by, participants=members, **said)


def truth_of(request: Request, name: str) -> bool:
    """Read a yes or no from the query; absent means no."""
    text = request.query_params.get(name, "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise Invalid("This must be true or false.", pointer=f"/{name}")
    return text in {"true", "1"}
