"""Who may see when someone was last online: people who share a conversation with them, and their contacts.

A block hides it in both directions, and so does the person's own setting. Everyone sees their own time.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import User

Pair = tuple[UUID, UUID]
"""The viewer, and the person whose time they want to see."""

VISIBLE_LAST_SEEN = """
SELECT pair.viewer, pair.other, (
    SELECT max(s.last_seen_at) FROM accounts_session s WHERE s.user_id = pair.other
) AS last_seen
FROM unnest(%(viewers)s::uuid[], %(others)s::uuid[]) AS pair(viewer, other)
JOIN accounts_user u ON u.id = pair.other AND u.is_active
WHERE pair.viewer = pair.other OR (
    u.settings ->> 'last_seen' IS DISTINCT FROM 'false'
    AND NOT EXISTS (
        SELECT 1 FROM accounts_block b
        WHERE b.user_id = pair.viewer AND b.blocked_id = pair.other
            OR b.user_id = pair.other AND b.blocked_id = pair.viewer
    )
    AND (
        EXISTS (SELECT 1 FROM accounts_contact k WHERE k.user_id = pair.viewer AND k.other_id = pair.other)
        OR EXISTS (
            SELECT 1 FROM conversations_participant mine
            JOIN conversations_participant theirs ON theirs.conversation_id = mine.conversation_id
            WHERE mine.user_id = pair.viewer AND mine.left_at IS NULL
                AND theirs.user_id = pair.other AND theirs.left_at IS NULL
        )
    )
)
"""


def parameters(pairs: Iterable[Pair]) -> Mapping[str, Any]:
    """The parameters of `VISIBLE_LAST_SEEN`."""
    viewers, others = zip(*pairs, strict=True)
    return {"viewers": list(viewers), "others": list(others)}


def last_seen_of(*, by: User, other_id: UUID) -> datetime | None:
    """Return the stored time at which someone was last online; User.DoesNotExist if `by` may not see it."""
    with connection.cursor() as cursor:
        cursor.execute(VISIBLE_LAST_SEEN, parameters([(by.pk, other_id)]))
        found = cursor.fetchone()
    if found is None:
        raise User.DoesNotExist
    moment: datetime | None = found[2]
    return moment


def visible_people(*, by: User, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the given people whose presence `by` may see."""
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(VISIBLE_LAST_SEEN, parameters((by.pk, id) for id in ids))
        return {other for _, other, _ in cursor.fetchall()}
