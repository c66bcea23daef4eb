"""Mentions: `@username` of a member, and `@all`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from chatproject.core.dedicated_connection import array_text
from chatproject.core.text import fold
from messaging.messages.richtext import Name, marks_in

ALL = "all"
ALL_LIMIT = 20
"""Members of a group up to which anyone may mention all; in larger groups only admins and the owner may."""
MAX_NAMES = 50
"""Names of one text that are looked up, in all their spellings."""
NAME_LENGTHS = range(3, 31)

Spelling = tuple[str, ...]
"""The usernames that one name in a text may mean, the shortest first: punctuation at its end may belong to the
sentence.
"""


def names_in(text: str) -> Sequence[Spelling]:
    """Find what may be names of members behind an `@`, each once."""
    found: dict[Spelling, None] = {}
    looked_up = 0
    for mark in marks_in(text):
        if isinstance(mark, Name) and (spelling := _spelling(mark.written)) and spelling not in found:
            looked_up += len(spelling)
            if looked_up > MAX_NAMES:
                break
            found[spelling] = None
    return tuple(found)


def _spelling(written: str) -> Spelling:
    run = fold(written)
    least = max(len(run.rstrip("._-")), NAME_LENGTHS.start)
    return tuple(run[:length] for length in NAME_LENGTHS if least <= length <= len(run))


# For rows `accepted` (ord, conversation_id, sender_id), the people that they mention, in the order of ids. The names
# are three arrays, `named` (the ord), `runs` (the number of the name in its text) and `names` (a spelling of it); of
# the spellings that are members the shortest counts. `mentioning_all` are the ords of the texts with `@all`.
MENTIONS = f"""
    SELECT t.ord, array_agg(t.user_id ORDER BY t.user_id) AS ids FROM (
        (SELECT DISTINCT ON (n.ord, n.run) a.ord, u.id AS user_id
        FROM unnest(%(named)s::bigint[], %(runs)s::bigint[], %(names)s::text[]) AS n(ord, run, name)
        JOIN accepted a ON a.ord = n.ord
        JOIN accounts_user u ON u.username = n.name AND u.closed_at IS NULL
        JOIN conversations_participant p
            ON p.conversation_id = a.conversation_id AND p.user_id = u.id AND p.left_at IS NULL
        ORDER BY n.ord, n.run, length(n.name))
        UNION
        SELECT a.ord, p.user_id
        FROM accepted a
        JOIN conversations_participant p
            ON p.conversation_id = a.conversation_id AND p.user_id <> a.sender_id AND p.left_at IS NULL
        JOIN accounts_user u ON u.id = p.user_id AND u.closed_at IS NULL
        WHERE a.ord = ANY(%(mentioning_all)s::bigint[]) AND (
            EXISTS (
                SELECT 1 FROM conversations_participant s
                WHERE s.conversation_id = a.conversation_id AND s.user_id = a.sender_id AND s.role = 'admin'
            )
            OR {ALL_LIMIT} >= (
                SELECT count(*) FROM conversations_participant o
                WHERE o.conversation_id = a.conversation_id AND o.left_at IS NULL
            )
        )
    ) t GROUP BY t.ord
"""  # noqa: S608 (a number of our own)

MENTIONS_OF_ONE = f"""
WITH accepted AS (
    SELECT 1::bigint AS ord, %(conversation)s::uuid AS conversation_id, %(sender)s::uuid AS sender_id
), mentioned_people AS ({MENTIONS})
SELECT ids FROM mentioned_people
"""  # noqa: S608


def arrays_of_names(texts: Sequence[Sequence[Spelling]]) -> dict[str, Any]:
    """Return the names of some texts as the arrays that `MENTIONS` reads; the first text has the ord 1."""
    rows = [
        (n, run, name) for n, names in enumerate(texts, 1) for run, spelling in enumerate(names) for name in spelling
    ]
    return {
        "named": array_text(n for n, _, _ in rows),
        "runs": array_text(run for _, run, _ in rows),
        "names": [name for _, _, name in rows],
        "mentioning_all": array_text(n for n, _, name in rows if name == ALL),
    }


def mentioned(names: Sequence[Spelling], *, conversation_id: UUID, sender_id: UUID) -> list[UUID] | None:
    """Find who is mentioned by some names in a conversation that the caller has locked; None for nobody."""
    if not names:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            MENTIONS_OF_ONE, {"conversation": conversation_id, "sender": sender_id, **arrays_of_names([names])}
        )
        row = cursor.fetchone()
    return row[0] if row else None
