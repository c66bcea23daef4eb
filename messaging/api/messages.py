"""The REST door to messages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.people.references import find_user
from chatproject.core import rate_limits
from chatproject.core.errors import Invalid, Refused
from chatproject.core.json_types import SuccessJSON
from chatproject.core.rate_limits import quotas
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, envelope_page, limit_of, number_of, path_id
from messaging.api.serializers import NewMessage, NewText, Watermark
from messaging.messages import edit, reactions, send
from messaging.messages.json import MessageJSON
from messaging.receipts import commands as receipts
from messaging.receipts import status
from messaging.receipts.commands import MarksJSON
from messaging.receipts.status import StatusJSON
from messaging.sync import history


class MessageViewSet(API):
    """`/messages`."""

    def limits_of(self, request: Request) -> rate_limits.Buckets:
        """Messages count against one quota, whichever door they are sent through."""
        return [(quotas.SEND, request.user.pk)] if self.action == "create" else super().limits_of(request)

    @described("sendMessage", MessageJSON, status=201, also=200, body=NewMessage, errors="404 409 422")
    def create(self, request: SignedIn) -> Response:
        """Send a message; 200 and the stored message if it was sent before."""
        data = self.body(request, NewMessage)
        if receiver_id := data.pop("receiver_id", None):
            with renaming_pointer("/to", "/receiver_id"):
                answer = send.send_direct(by=request.user, to=find_user({"id": receiver_id}, by=request.user), **data)
        else:
            answer = send.send_message(by=request.user, **data)
        return envelope(answer.message, 200 if answer.repeated else 201)

    @described("getMessage", MessageJSON)
    def retrieve(self, request: SignedIn, pk: str) -> Response:
        """One message."""
        return envelope(history.get_message(by=request.user, message_id=path_id(pk)))

    @described("getMessageStatus", list[StatusJSON])
    def status(self, request: SignedIn, pk: str) -> Response:
        """When each other member received and read one of my messages."""
        return envelope(status.status_of(by=request.user, message_id=path_id(pk)))

    @described("editMessage", MessageJSON, body=NewText, errors="422")
    def partial_update(self, request: SignedIn, pk: str) -> Response:
        """Edit one of my messages."""
        text = self.body(request, NewText)["text"]
        return envelope(edit.edit_message(by=request.user, message_id=path_id(pk), text=text))

    @described("deleteMessage", SuccessJSON, errors="422")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """Delete a message for everyone."""
        edit.delete_message(by=request.user, message_id=path_id(pk))
        return envelope({"success": True})

    @described("listMessages", MessageJSON, pagination="position", query="limit before after around")
    def conversation(self, request: SignedIn, id: str) -> Response:
        """A page of a conversation, oldest first."""
        sides = {side: number_of(request, side) for side in ("before", "after", "around")}
        if sum(position is not None for position in sides.values()) > 1:
            raise Invalid("Give one of before, after and around.", pointer="/before")
        return envelope_page(
            history.history(
                by=request.user,
                conversation_id=path_id(id),
                limit=limit_of(request, history.HISTORY_PAGE_SIZE),
                **sides,
            )
        )

    @described("listMessagesWith", MessageJSON, pagination="position", query="limit before")
    def friend(self, request: SignedIn, id: str) -> Response:
        """A page of the direct conversation with someone."""
        before = number_of(request, "before")
        return envelope_page(
            history.direct_history(
                by=request.user,
                friend_id=path_id(id),
                limit=limit_of(request, history.HISTORY_PAGE_SIZE),
                before=before,
            )
        )


class ReactionViewSet(API):
    """`/messages/{id}/reactions/{emoji}`."""

    @described("addReaction", MessageJSON, errors="422")
    def update(self, request: SignedIn, pk: str, emoji: str) -> Response:
        """React to a message."""
        return envelope(reactions.add_reaction(by=request.user, message_id=path_id(pk), emoji=emoji))

    @described("removeReaction", MessageJSON, errors="422")
    def destroy(self, request: SignedIn, pk: str, emoji: str) -> Response:
        """Remove my reaction."""
        return envelope(reactions.remove_reaction(by=request.user, message_id=path_id(pk), emoji=emoji))


class ReceiptViewSet(API):
    """`/conversations/{id}/delivered` and `read`."""

    @described("markDelivered", MarksJSON, body=Watermark)
    def delivered(self, request: SignedIn, pk: str) -> Response:
        """Move my delivery watermark: I have received the messages up to a position."""
        return self._mark(request, receipts.mark_delivered, pk)

    @described("markRead", MarksJSON, body=Watermark)
    def read(self, request: SignedIn, pk: str) -> Response:
        """Move my read watermark: I have read the messages up to a position."""
        return self._mark(request, receipts.mark_read, pk)

    def _mark(self, request: SignedIn, mark: Callable[..., receipts.MarksJSON], pk: str) -> Response:
        through = self.body(request, Watermark)["through"]
        return envelope(mark(by=request.user, conversation_id=path_id(pk), through=through))


@contextmanager
def renaming_pointer(theirs: str, ours: str) -> Iterator[None]:
    """Rename the field that a refusal points at to the name that this door uses."""
    try:
        yield
    except Refused as refusal:
        if refusal.pointer == theirs:
            refusal.pointer = ours
        raise
