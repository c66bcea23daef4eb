"""Receipts between two people of whom one has blocked the other: each sees only what was so before the block."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection

from accounts.models import User

# Nothing is stored of what came after a block, so the last of the stored rows ends where the block began.
BEFORE_BLOCK = """
WITH blocked AS MATERIALIZED (
    SELECT blocked_id AS id FROM accounts_block WHERE user_id = %(by)s
    UNION SELECT user_id FROM accounts_block WHERE blocked_id = %(by)s
)
SELECT p.conversation_id, p.user_id, COALESCE(max(s.through) FILTER (WHERE s.what = 'delivered'), 0),
    COALESCE(max(s.through) FILTER (WHERE s.what = 'read'), 0)
FROM blocked JOIN conversations_participant p
    ON p.user_id = blocked.id AND p.conversation_id = ANY(%(conversations)s)
LEFT JOIN messaging_messagestatus s ON s.conversation_id = p.conversation_id AND s.user_id = p.user_id
WHERE p.conversation_id IN (
    SELECT c.id FROM conversations_conversation c WHERE c.id = ANY(%(conversations)s) AND c.kind = 'direct'
)
GROUP BY p.conversation_id, p.user_id
"""


def watermarks_before_block(*, by: User, conversations: Collection[UUID]) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """Find the watermarks, delivered and read, of the other people in direct conversations with a block, as they were
    before it: no later ones are shown. The keys are conversation and person.
    """
    with connection.cursor() as cursor:
        cursor.execute(BEFORE_BLOCK, {"by": by.pk, "conversations": list(conversations)})
        return {(id, user_id): (delivered, read) for id, user_id, delivered, read in cursor.fetchall()}
