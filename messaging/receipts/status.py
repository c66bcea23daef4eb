"""When a message was delivered to the other members, and when they read it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

from django.db import connection

from accounts.models import User
from accounts.people.read_receipt_privacy import SHOWS_READ, shows_read_receipts
from chatproject.core.errors import NotAllowed
from chatproject.core.ids import first_id_at
from chatproject.core.json_types import IdText, TimeText
from chatproject.core.realtime import timestamp
from messaging.access import oldest, read_message, visible
from messaging.models import Message

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clock that an id of `MessageStatus` is made from may be behind the one of `Message.created_at`."""

# The ranges of one person do not overlap: only the first that reaches the message can include it.
STATUS = f"""
SELECT m.user_id, delivered.at, read.at
FROM messaging_message x
JOIN conversations_conversation c ON c.id = x.conversation_id
JOIN conversations_participant m ON m.conversation_id = c.id AND m.user_id <> x.sender_id
JOIN accounts_user u ON u.id = m.user_id
LEFT JOIN LATERAL (
    SELECT s.after, s.at FROM messaging_messagestatus s
    WHERE s.conversation_id = m.conversation_id AND s.user_id = m.user_id AND s.what = 'delivered'
        AND s.through >= %(position)s AND s.id >= %(first)s
    ORDER BY s.through LIMIT 1
) delivered ON delivered.after < %(position)s
LEFT JOIN LATERAL (
    SELECT s.after, s.at FROM messaging_messagestatus s
    WHERE s.conversation_id = m.conversation_id AND s.user_id = m.user_id AND s.what = 'read'
        AND s.through >= %(position)s AND s.id >= %(first)s
    ORDER BY s.through LIMIT 1
) read ON read.after < %(position)s AND {SHOWS_READ} AND %(sees_read)s
WHERE x.id = %(message)s AND {visible("x", "m", "c")}
ORDER BY m.id
"""  # noqa: S608 (parts of our own)


class Status(NamedTuple):
    """When a message was delivered to someone and when they read it, as far as it is known and they show it."""

    user_id: UUID
    delivered_at: datetime | None
    read_at: datetime | None


class StatusJSON(TypedDict):
    """When a message was delivered to another member, and when they read it; null if not yet, or if it is hidden."""

    user_id: IdText
    delivered_at: TimeText | None
    read_at: TimeText | None


def status_of(*, by: User, message_id: UUID) -> list[StatusJSON]:
    """Return the status of a message to its sender, for each other member who may see it.

    Message.DoesNotExist if this person cannot read it, NotAllowed for a message of someone else.
    """
    return [
        {
            "user_id": str(each.user_id),
            "delivered_at": _optional_timestamp(each.delivered_at),
            "read_at": _optional_timestamp(each.read_at),
        }
        for each in find_status(by=by, message_id=message_id)
    ]


def find_status(*, by: User, message_id: UUID) -> Sequence[Status]:
    """Find the status of a message, as `status_of` does."""
    message = read_message(by=by, message_id=message_id)
    if message.sender_id != by.pk:
        raise NotAllowed("Only its sender sees who has had a message.")
    return read_status(message, sees_read=shows_read_receipts(by))


def read_status(message: Message, *, sees_read: bool) -> list[Status]:
    """Read the status of a message, for someone who sees what others have read, or does not."""
    values: dict[str, Any] = {
        "position": message.position,
        "first": first_id_at(message.created_at - CLOCKS_DIFFER),
        "message": message.pk,
        "oldest": oldest(),
        "sees_read": sees_read,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATUS, values)
        return [Status(*row) for row in cursor.fetchall()]


def _optional_timestamp(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None
