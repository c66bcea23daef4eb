"""Moving the watermarks of a participant."""

from typing import TypedDict
from uuid import UUID

from accounts.models import User
from chatproject.core.json_types import Count
from messaging.receipts import watermarks
from messaging.receipts.watermarks import Mark


class MarksJSON(TypedDict):
    """How far one has had and read what was said."""

    delivered_through: Count
    read_through: Count


def mark_delivered(*, by: User, conversation_id: UUID, through: int) -> MarksJSON:
    """Note that someone has had what was said up to a position; give the watermarks. Never backwards or past the end.

    Conversation.DoesNotExist for a stranger.
    """
    return _move(Mark(conversation_id, by.pk, delivered=through, read=0))


def mark_read(*, by: User, conversation_id: UUID, through: int) -> MarksJSON:
    """Note that someone has read up to a position, which implies having had it; their other devices hear of it."""
    return _move(Mark(conversation_id, by.pk, delivered=0, read=through))


def _move(mark: Mark) -> MarksJSON:
    place = watermarks.move(mark)
    return {"delivered_through": place.delivered, "read_through": place.read}
