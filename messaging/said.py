"""Which messages count as said: only they are unread, the last message of a conversation, and activity in it.

Everything but notices is said. `Conversation.last_spoken` is the position of the newest message that was said: the
append sets it. It can lag behind for a while, never be ahead: servers of an earlier release do not set it.
"""

from django.db import connection, transaction

from messaging.models import Message

UPDATED_AT_ONCE = 100


def said(message: str) -> str:
    """Write the condition under which a message counts as said, for an alias of its table."""
    return f"{message}.kind <> 'notice'"


def is_said(message: Message) -> bool:
    """Tell whether a message counts as said."""
    return message.kind != Message.Kind.NOTICE


LAGGING = """
SELECT id FROM conversations_conversation
WHERE last_position > last_spoken AND changed_at > now() - interval '1 day' ORDER BY id
"""
# Whatever is locked is being written to: it is left for the next time.
CATCH_UP = f"""
WITH locked AS MATERIALIZED (
    SELECT c.id, c.last_spoken FROM conversations_conversation c WHERE c.id = ANY(%s)
    ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE conversations_conversation c SET last_spoken = newest.position
FROM locked CROSS JOIN LATERAL (
    SELECT m.position FROM messaging_message m
    WHERE m.conversation_id = locked.id AND m.position > locked.last_spoken AND {said("m")}
    ORDER BY m.position DESC LIMIT 1
) newest
WHERE c.id = locked.id
"""  # noqa: S608 (a part of our own)


def correct_last_spoken() -> int:
    """Bring `last_spoken` up to date where something was said in the last day and it was not set; return how often."""
    with connection.cursor() as cursor:
        cursor.execute(LAGGING)
        ids = [id for (id,) in cursor.fetchall()]
    return sum(_correct(ids[at : at + UPDATED_AT_ONCE]) for at in range(0, len(ids), UPDATED_AT_ONCE))


@transaction.atomic
def _correct(ids: list[object]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(CATCH_UP, [ids])
        return int(cursor.rowcount)
