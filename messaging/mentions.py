"""Who is meant by name: `@username` of a member who is in, and `@all`."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from chatproject.database import array_text

ALL = "all"
ALL_FOR_EVERYONE = 20
"""Members up to whom anyone may mean all of them; in larger groups only admins and the owner do."""
NAMES_MOST = 50
"""Names of one text that are looked up."""
NAME_LENGTHS = range(3, 31)
NAME = re.compile(r"(?<![A-Za-z0-9_])@([A-Za-z0-9_.-]+)")


def names_in(text: str) -> Sequence[str]:
    """Find what may be names behind an `@`, each as it stands there and without what may only end the sentence."""
    if "@" not in text:
        return ()
    found: dict[str, None] = {}
    for run in NAME.finditer(text):
        name = run[1].lower()
        found.update((each, None) for each in (name, name.rstrip("._-")) if len(each) in NAME_LENGTHS)
        if len(found) >= NAMES_MOST:
            break
    return tuple(found)[:NAMES_MOST]


# For rows `accepted` (ord, conversation_id, sender_id) the people they mention, in the order of ids. Names come as two
# arrays, `named` (the ord) and `names`; `meaning_all` are the ords of those that say so.
MEANT = f"""
    SELECT t.ord, array_agg(t.user_id ORDER BY t.user_id) AS ids FROM (
        SELECT a.ord, u.id AS user_id
        FROM unnest(%(named)s::bigint[], %(names)s::text[]) AS n(ord, name)
        JOIN accepted a ON a.ord = n.ord
        JOIN accounts_user u ON u.username = n.name AND u.closed_at IS NULL
        JOIN conversations_participant p
            ON p.conversation_id = a.conversation_id AND p.user_id = u.id AND p.left_at IS NULL
        UNION
        SELECT a.ord, p.user_id
        FROM accepted a
        JOIN conversations_participant p
            ON p.conversation_id = a.conversation_id AND p.user_id <> a.sender_id AND p.left_at IS NULL
        JOIN accounts_user u ON u.id = p.user_id AND u.closed_at IS NULL
        WHERE a.ord = ANY(%(meaning_all)s::bigint[]) AND (
            EXISTS (
                SELECT 1 FROM conversations_participant s
                WHERE s.conversation_id = a.conversation_id AND s.user_id = a.sender_id AND s.role = 'admin'
            )
            OR {ALL_FOR_EVERYONE} >= (
                SELECT count(*) FROM conversations_participant o
                WHERE o.conversation_id = a.conversation_id AND o.left_at IS NULL
            )
        )
    ) t GROUP BY t.ord
"""  # noqa: S608 (a number of our own)

OF_ONE = f"""
WITH accepted AS (
    SELECT 1::bigint AS ord, %(conversation)s::uuid AS conversation_id, %(sender)s::uuid AS sender_id
), meant AS ({MEANT})
SELECT ids FROM meant
"""  # noqa: S608


def arrays_of_names(texts: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Lay the names of some texts out as arrays; the first text is number 1."""
    named = [(n, name) for n, names in enumerate(texts, 1) for name in names]
    return {
        "named": array_text(n for n, _ in named),
        "names": [name for _, name in named],
        "meaning_all": array_text(n for n, name in named if name == ALL),
    }


def mentioned(names: Sequence[str], *, conversation_id: UUID, sender_id: UUID) -> list[UUID] | None:
    """Find who is meant by some names in a conversation that the caller has locked; None for nobody."""
    if not names:
        return None
    with connection.cursor() as cursor:
        cursor.execute(OF_ONE, {"conversation": conversation_id, "sender": sender_id, **arrays_of_names([names])})
        row = cursor.fetchone()
    return row[0] if row else None
