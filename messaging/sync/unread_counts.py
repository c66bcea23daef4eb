"""The latest message that was said, and the number of unread messages and mentions of a person's conversations."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from conversations.models import Participant
from messaging.access import oldest, visible
from messaging.said import said

UNREAD_CAP = 100
"""Counting stops here: a larger number of unread messages or mentions is shown as this one."""

MAX_SEARCHED = 500
"""How many positions are searched for the latest message that a person may read, where that is not the newest said."""

VISIBLE, SAID = visible("m", "p", "c"), said("m")
# `last_spoken` finds the latest message with one probe of an index, and says where nothing can be unread. For someone
# who may not read that message a few others are looked at.
LATEST_AND_UNREAD = f"""
SELECT p.id, COALESCE(newest.id, earlier.id), unread.n, mentions.n
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
LEFT JOIN LATERAL (
    SELECT m.id FROM messaging_message m WHERE m.position = c.last_spoken AND {VISIBLE} AND {SAID} LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT m.id FROM messaging_message m
    WHERE newest.id IS NULL AND m.position < c.last_spoken AND m.position > c.last_spoken - {MAX_SEARCHED}
        AND {VISIBLE} AND {SAID}
    ORDER BY m.position DESC LIMIT 1
) earlier ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE c.last_spoken > p.read_through AND m.position > p.read_through AND m.position <= c.last_spoken
            AND {VISIBLE} AND {SAID} AND m.sender_id <> p.user_id AND m.deleted_at IS NULL
        LIMIT %(cap)s
    ) AS some_unread
) unread
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE c.last_spoken > p.read_through AND m.position > p.read_through AND m.position <= c.last_spoken
            AND {VISIBLE} AND {SAID} AND m.sender_id <> p.user_id AND m.deleted_at IS NULL
            AND m.mentions IS NOT NULL AND p.user_id = ANY(m.mentions)
        LIMIT %(cap)s
    ) AS some_mentions
) mentions
WHERE p.id = ANY(%(memberships)s) AND p.left_at IS NULL
"""  # noqa: S608 (parts of our own)


class UnreadCounts(NamedTuple):
    """How many messages of others a person has not read, and how many of them mention the person."""

    messages: int
    mentions: int


class LatestAndUnread(NamedTuple):
    """The latest message that was said and that a person may read, and their unread counts."""

    latest_id: UUID | None
    unread: UnreadCounts


def latest_and_unread(memberships: Sequence[Participant]) -> dict[int, LatestAndUnread]:
    """Return both for each membership by its primary key, without those that have ended."""
    values: dict[str, Any] = {
        "memberships": [each.pk for each in memberships],
        "oldest": oldest(),
        "cap": UNREAD_CAP,
    }
    with connection.cursor() as cursor:
        cursor.execute(LATEST_AND_UNREAD, values)
        return {id: LatestAndUnread(latest_id, UnreadCounts(*counts)) for id, latest_id, *counts in cursor.fetchall()}
