"""Which messages someone may read, and how far the others have."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, QuerySet
from django.utils import timezone

from accounts.models import User
from conversations.models import Participant
from messaging.models import Message


def readable(place: Participant) -> QuerySet[Message]:
    """The messages that someone may read in a conversation: since they came, and younger than the retention.

    None, once they are out: they may go, and something be said, between the reading of their place and this.
    """
    still_in = Participant.objects.filter(pk=place.pk, left_at=None, visible_from=place.visible_from)
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return Message.objects.filter(
        Exists(still_in), conversation_id=place.conversation_id, position__gt=place.visible_from, created_at__gt=oldest
    )


# What came after a block has left no runs, so the last of them end where it began.
STOPPED = """
WITH foes AS MATERIALIZED (
    SELECT blocked_id AS id FROM accounts_block WHERE user_id = %(by)s
    UNION SELECT user_id FROM accounts_block WHERE blocked_id = %(by)s
)
SELECT p.conversation_id, p.user_id, COALESCE(max(s.through) FILTER (WHERE s.what = 'delivered'), 0),
    COALESCE(max(s.through) FILTER (WHERE s.what = 'read'), 0)
FROM foes JOIN conversations_participant p ON p.user_id = foes.id AND p.conversation_id = ANY(%(conversations)s)
LEFT JOIN messaging_messagestatus s ON s.conversation_id = p.conversation_id AND s.user_id = p.user_id
WHERE p.conversation_id IN (
    SELECT c.id FROM conversations_conversation c WHERE c.id = ANY(%(conversations)s) AND c.kind = 'direct'
)
GROUP BY p.conversation_id, p.user_id
"""


def stopped_marks(*, by: User, conversations: Collection[UUID]) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """Find how far the others of direct conversations had come, delivered and read, before one of the two blocked the
    other: that is all that is shown of them since. By conversation and person.
    """
    with connection.cursor() as cursor:
        cursor.execute(STOPPED, {"by": by.pk, "conversations": list(conversations)})
        return {(id, user_id): (delivered, read) for id, user_id, delivered, read in cursor.fetchall()}
