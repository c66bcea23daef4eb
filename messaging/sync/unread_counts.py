"""The latest message and the number of unread messages and mentions of a person's conversations."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from conversations.models import Participant

UNREAD_CAP = 100
"""Counting stops here: a larger number of unread messages or mentions is shown as this one."""

# All three subqueries read the same few index entries, and only if there can be unread messages.
LATEST_AND_UNREAD = """
SELECT p.id, latest.id, unread.n, mentions.n
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
LEFT JOIN LATERAL (
    SELECT m.id FROM messaging_message m
    WHERE m.conversation_id = p.conversation_id AND m.position > p.visible_from AND m.created_at > %(oldest)s
    ORDER BY m.position DESC LIMIT 1
) latest ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE c.last_position > p.read_through
            AND m.conversation_id = p.conversation_id AND m.position > GREATEST(p.read_through, p.visible_from)
            AND m.sender_id <> p.user_id AND m.kind <> 'notice' AND m.deleted_at IS NULL AND m.created_at > %(oldest)s
        LIMIT %(cap)s
    ) AS some_unread
) unread
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE c.last_position > p.read_through
            AND m.conversation_id = p.conversation_id AND m.position > GREATEST(p.read_through, p.visible_from)
            AND m.mentions IS NOT NULL AND p.user_id = ANY(m.mentions) AND m.sender_id <> p.user_id
            AND m.deleted_at IS NULL AND m.created_at > %(oldest)s
        LIMIT %(cap)s
    ) AS some_mentions
) mentions
WHERE p.id = ANY(%(memberships)s) AND p.left_at IS NULL
"""


class UnreadCounts(NamedTuple):
    """How many messages of others a person has not read, and how many of them mention the person."""

    messages: int
    mentions: int


class LatestAndUnread(NamedTuple):
    """The latest message of a conversation that a person may read, and their unread counts."""

    latest_id: UUID | None
    unread: UnreadCounts


def latest_and_unread(memberships: Sequence[Participant]) -> dict[int, LatestAndUnread]:
    """Return both for each membership by its primary key, without those that have ended."""
    values: dict[str, Any] = {
        "memberships": [each.pk for each in memberships],
        "oldest": timezone.now() - timedelta(days=settings.RETENTION_DAYS),
        "cap": UNREAD_CAP,
    }
    with connection.cursor() as cursor:
        cursor.execute(LATEST_AND_UNREAD, values)
        return {id: LatestAndUnread(latest_id, UnreadCounts(*counts)) for id, latest_id, *counts in cursor.fetchall()}
