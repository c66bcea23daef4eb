"""The REST door to groups: their members, roles and invitation links."""

from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.people.read_receipt_privacy import shows_read_receipts
from accounts.people.references import find_user, find_users
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, envelope_page, limit_of, path_id
from chatproject.server.compression import holds_secret
from conversations import groups, invite_links
from conversations.events import ParticipantJSON, participant_json
from conversations.invite_links import LinkJSON
from messaging.api.conversation_serializers import NewLink, NewMembers, RoleChange, Successor
from messaging.api.conversations import conversation_response
from messaging.messages.json import ConversationJSON
from messaging.sync.member_list import list_links, list_members


class GroupViewSet(API):
    """`/conversations/{id}/leave` and `/conversations/{id}/transfer`."""

    @described("leave", errors="409")
    def leave(self, request: SignedIn, pk: str) -> Response:
        """Leave a group."""
        groups.leave(by=request.user, conversation_id=path_id(pk))
        return Response(status=204)

    @described("transfer", ConversationJSON, body=Successor, errors="409 422")
    def transfer(self, request: SignedIn, pk: str) -> Response:
        """Make another member the owner."""
        id = path_id(pk)
        to = find_user(self.body(request, Successor)["to"], by=request.user)
        groups.transfer(by=request.user, conversation_id=id, to=to)
        return conversation_response(request.user, id)


class MemberViewSet(API):
    """`/conversations/{id}/participants`."""

    @described("listParticipants", ParticipantJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn, pk: str) -> Response:
        """The participants of a conversation."""
        limit, cursor = limit_of(request), request.query_params.get("cursor")
        return envelope_page(list_members(by=request.user, conversation_id=path_id(pk), limit=limit, cursor=cursor))

    @described("addParticipants", ConversationJSON, body=NewMembers, errors="409 422")
    def create(self, request: SignedIn, pk: str) -> Response:
        """Add people to a group."""
        id = path_id(pk)
        users = find_users(self.body(request, NewMembers)["users"], by=request.user)
        groups.add_members(by=request.user, conversation_id=id, users=users)
        return conversation_response(request.user, id)

    @described("setRole", ParticipantJSON, body=RoleChange, errors="409 422")
    def update(self, request: SignedIn, pk: str, id: str) -> Response:
        """Make someone an admin or a member."""
        group_id, user_id = path_id(pk), path_id(id)
        role = self.body(request, RoleChange)["role"]
        participant = groups.set_role(by=request.user, conversation_id=group_id, user_id=user_id, role=role)
        return envelope(
            participant_json(participant, participant.conversation, sees_read=shows_read_receipts(request.user))
        )

    @described("removeParticipant", errors="409")
    def destroy(self, request: SignedIn, pk: str, id: str) -> Response:
        """Remove someone from a group."""
        groups.remove_member(by=request.user, conversation_id=path_id(pk), user_id=path_id(id))
        return Response(status=204)


class LinkViewSet(API):
    """`/conversations/{id}/invite-links` and `/invite-links`."""

    @described("listInviteLinks", LinkJSON, pagination="cursor", query="limit cursor", errors="409")
    def list(self, request: SignedIn, pk: str) -> Response:
        """The invitation links of a group, without their tokens."""
        limit, cursor = limit_of(request), request.query_params.get("cursor")
        return envelope_page(list_links(by=request.user, conversation_id=path_id(pk), limit=limit, cursor=cursor))

    @described("makeInviteLink", LinkJSON, status=201, body=NewLink, errors="409")
    @holds_secret
    def create(self, request: SignedIn, pk: str) -> Response:
        """Create an invitation link; its token is shown here and never again."""
        id = path_id(pk)
        link, token = invite_links.make_link(by=request.user, conversation_id=id, **self.body(request, NewLink))
        return envelope(invite_links.link_json(link, token), 201)

    @described("revokeInviteLink", errors="409")
    def destroy(self, request: SignedIn, pk: str, id: str) -> Response:
        """Revoke an invitation link."""
        invite_links.revoke_link(by=request.user, conversation_id=path_id(pk), link_id=path_id(id))
        return Response(status=204)

    @described("acceptInviteLink", ConversationJSON, errors="409 410")
    def accept(self, request: SignedIn, token: str) -> Response:
        """Join a group by an invitation link."""
        return conversation_response(request.user, invite_links.accept_link(by=request.user, token=token).pk)
