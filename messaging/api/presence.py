"""The REST door to presence."""

from rest_framework.response import Response

from accounts.api.base import SignedIn
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, path_id
from messaging.presence.events import PresenceJSON
from messaging.presence.queries import show_presence


class PresenceViewSet(API):
    """`/users/{id}/presence`."""

    @described("getPresence", PresenceJSON)
    def presence(self, request: SignedIn, pk: str) -> Response:
        """Whether someone is online, and when they were last seen."""
        return envelope(show_presence(by=request.user, other_id=path_id(pk)))
