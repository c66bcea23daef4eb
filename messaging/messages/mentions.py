"""Who is meant by name: `@username` of a member who is in, and `@all`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from chatproject.core.database import array_text
from chatproject.core.names import fold
from messaging.messages.richtext import Name, marks_in

ALL = "all"
ALL_FOR_EVERYONE = 20
"""Members up to whom anyone may mean all of them; in larger groups only admins and the owner do."""
NAMES_MOST = 50
"""Names of one text that are looked up."""
NAME_LENGTHS = range(3, 31)

Spelling = tuple[str, ...]
"""The usernames that one name in a text may mean, the shortest first: signs at its end may only end the sentence."""


def names_in(text: str) -> Sequence[Spelling]:
    """Find what may be names of members behind an `@`, each once."""
    if "@" not in text:
        return ()
    found: dict[Spelling, None] = {}
    looked_up = 0
    for mark in marks_in(text):
        if isinstance(mark, Name) and (spelling := _spelling(mark.written)) and spelling not in found:
            looked_up += len(spelling)
            if looked_up > NAMES_MOST:
                break
            found[spelling] = None
    return tuple(found)


def _spelling(written: str) -> Spelling:
    run = fold(written)
    least = max(len(run.rstrip("._-")), NAME_LENGTHS.start)
    return tuple(run[:length] for length in NAME_LENGTHS if least <= length <= len(run))


# For rows `accepted` (ord, conversation_id, sender_id) the people they mention, in the order of ids. Names come as
# three arrays, `named` (the ord), `runs` (the number of the name in its text) and `names` (a spelling of it); of the
# spellings that are members the shortest counts. `meaning_all` are the ords of those that say so.
MEANT = f"""
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


def arrays_of_names(texts: Sequence[Sequence[Spelling]]) -> dict[str, Any]:
    """Lay the names of some texts out as arrays; the first text is number 1."""
    rows = [
        (n, run, name) for n, names in enumerate(texts, 1) for run, spelling in enumerate(names) for name in spelling
    ]
    return {
        "named": array_text(n for n, _, _ in rows),
        "runs": array_text(run for _, run, _ in rows),
        "names": [name for _, _, name in rows],
        "meaning_all": array_text(n for n, _, name in rows if name == ALL),
    }


def mentioned(names: Sequence[Spelling], *, conversation_id: UUID, sender_id: UUID) -> list[UUID] | None:
    """Find who is meant by some names in a conversation that the caller has locked; None for nobody."""
    if not names:
        return None
    with connection.cursor() as cursor:
        cursor.execute(OF_ONE, {"conversation": conversation_id, "sender": sender_id, **arrays_of_names([names])})
        row = cursor.fetchone()
    return row[0] if row else None
