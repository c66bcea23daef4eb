"""The REST door to who is connected, for the staff (contract, section 7)."""

from typing import Any

from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.people.profiles import PersonJSON
from accounts.staff.admin_access import staff_of
from chatproject.core.json_types import SuccessJSON
from chatproject.core.pagination import Page
from chatproject.rest.describe import described
from chatproject.rest.fields import StrictSerializer, TextField
from chatproject.rest.views import API, envelope, envelope_page, limit_of, path_id
from messaging.moderation import connections
from messaging.moderation.connections import ConnectedJSON, StatsJSON


class NewAnnouncement(StrictSerializer):
    message = TextField(max_length=4000)


class ConnectedViewSet(API):
    """`/ws/…`."""

    @described("getConnectedStats", StatsJSON)
    def stats(self, request: SignedIn) -> Response:
        """How many people are connected, and to which servers."""
        return envelope(connections.stats(by=staff_of(request)))

    @described("listConnected", ConnectedJSON, pagination="cursor", query="limit cursor")
    def list(self, request: SignedIn) -> Response:
        """Who is connected."""
        limit, cursor = limit_of(request), request.query_params.get("cursor")
        return envelope_page(connections.list_connected(by=staff_of(request), limit=limit, cursor=cursor))

    @described("disconnect", SuccessJSON, status=200)
    def disconnect(self, request: SignedIn, pk: str) -> Response:
        """Close the sockets of a person."""
        connections.disconnect(by=staff_of(request), user_id=path_id(pk))
        return envelope({"success": True})

    @described("listPresentIn", PersonJSON, pagination="cursor")
    def participants(self, request: SignedIn, pk: str) -> Response:
        """Who has a conversation open now; its members may ask for it, too."""
        id = path_id(pk)
        if request.user.is_staff:
            found = connections.list_viewers_for_staff(by=staff_of(request), conversation_id=id)
        else:
            found = connections.list_viewers(by=request.user, conversation_id=id)
        return envelope_page(Page(found, next=None, previous=None, has_more=False))

    @described("broadcast", SuccessJSON, body=NewAnnouncement)
    def broadcast(self, request: SignedIn) -> Response:
        """Announce a text to everyone who is connected."""
        return self._announce(request)

    @described("broadcastIn", SuccessJSON, body=NewAnnouncement)
    def broadcast_in(self, request: SignedIn, pk: str) -> Response:
        """Announce a text to the connected members of a conversation."""
        return self._announce(request, conversation_id=path_id(pk))

    def _announce(self, request: SignedIn, **where: Any) -> Response:
        by = staff_of(request)
        connections.announce(by=by, text=self.body(request, NewAnnouncement)["message"], **where)
        return envelope({"success": True})
