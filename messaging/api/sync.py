"""The REST door to changes, for devices that catch up."""

from typing import Any

from rest_framework.response import Response

from accounts.api.base import SignedIn
from chatproject.core.errors import Invalid
from chatproject.rest.describe import described
from chatproject.rest.views import API, limit_of, number_of, path_id
from messaging.sync import changes as sync
from messaging.sync.changes import ChangesJSON, ChangesPage, SyncJSON


class SyncViewSet(API):
    """`/sync` and `/conversations/{id}/changes`."""

    @described("getChanges", ChangesJSON, pagination="part", query="version limit")
    def changes(self, request: SignedIn, pk: str) -> Response:
        """The changes of a conversation after a version."""
        conversation_id, after = path_id(pk), number_of(request, "after")
        if after is None:
            raise Invalid("Say after which version.", pointer="/after")
        return _answer(
            sync.changes(by=request.user, conversation_id=conversation_id, after=after, limit=limit_of(request))
        )

    @described("sync", SyncJSON, pagination="part", query="cursor")
    def sync(self, request: SignedIn) -> Response:
        """The changes of all my conversations since a cursor was given."""
        return _answer(sync.sync(by=request.user, cursor=request.query_params.get("cursor")))


def _answer(part: ChangesPage[Any]) -> Response:
    return Response({"data": part.items, "pagination": {"next": part.next, "has_more": part.has_more}})
