"""Commands of members: mark messages as delivered or read."""

from typing import TypedDict
from uuid import UUID

from accounts.models import User
from chatproject.core.json_types import Count
from messaging.receipts.watermark_sql import Watermark
from messaging.receipts.watermarks import move_watermark


class MarksJSON(TypedDict):
    """How far the messages of a conversation were delivered to someone, and read by them."""

    delivered_through: Count
    read_through: Count


def mark_delivered(*, by: User, conversation_id: UUID, through: int) -> MarksJSON:
    """Mark the messages up to a position as delivered to someone; return the watermarks, which never move backwards or
    past the last message.

    Conversation.DoesNotExist for a stranger.
    """
    return _move(Watermark(conversation_id, by.pk, delivered=through, read=0))


def mark_read(*, by: User, conversation_id: UUID, through: int) -> MarksJSON:
    """Mark the messages up to a position as read, and so as delivered; the person's other devices receive it too."""
    return _move(Watermark(conversation_id, by.pk, delivered=0, read=through))


def _move(watermark: Watermark) -> MarksJSON:
    outcome = move_watermark(watermark)
    return {"delivered_through": outcome.delivered, "read_through": outcome.read}
