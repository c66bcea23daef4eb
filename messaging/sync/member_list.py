"""The members of a conversation and its invitation links, in pages."""

from uuid import UUID

from accounts.models import User
from accounts.people.read_receipt_privacy import shows_read_receipts
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from conversations.access import members_of, participant_of
from conversations.events import ParticipantJSON, participants_json
from conversations.invite_links import LinkJSON, link_json, links_of
from messaging.receipts.blocked import watermarks_before_block


def list_members(
    *, by: User, conversation_id: UUID, limit: int = PAGE_SIZE, cursor: str | None = None
) -> Page[ParticipantJSON]:
    """List the members of a conversation, the earliest first; Conversation.DoesNotExist for a stranger."""
    conversation = participant_of(by, conversation_id).conversation
    places = members_of(conversation).select_related("user").order_by("pk")
    if cursor:
        places = places.filter(pk__gt=read_cursor(cursor, salt="members"))
    found = list(places[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    following = write_cursor(shown[-1].pk, salt="members") if more else None
    stopped = watermarks_before_block(by=by, conversations=[conversation_id])
    for place in shown:
        now = place.delivered_through, place.read_through
        place.delivered_through, place.read_through = stopped.get((conversation_id, place.user_id), now)
    seen = participants_json(shown, conversation, sees_read=shows_read_receipts(by))
    return Page(seen, next=following, previous=None, has_more=more)


def list_links(*, by: User, conversation_id: UUID, limit: int = PAGE_SIZE, cursor: str | None = None) -> Page[LinkJSON]:
    """List the invitation links of a group, the latest first; for its admins."""
    links = links_of(by=by, conversation_id=conversation_id)
    if cursor:
        last = UUID(read_cursor(cursor, salt="links"))
        links = [link for link in links if link.pk < last]
    shown, more = links[:limit], len(links) > limit
    following = write_cursor(str(shown[-1].pk), salt="links") if more else None
    return Page([link_json(link) for link in shown], next=following, previous=None, has_more=more)
