"""An old partition, and a transaction that keeps it in use."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection

from conversations.models import Conversation
from messaging.retention.partitions import PARENTS, partitions

WEEK = timedelta(weeks=1)
SOME_MONDAY = datetime(2024, 1, 29, tzinfo=UTC)

FILL = """
INSERT INTO messaging_message (id, conversation_id, position, version, sender_id, kind, body, created_at)
SELECT (%s || '7' || substr(md5(n::text), 14, 3) || 'a' || substr(md5(n::text), 18, 15))::uuid, p.conversation_id, n, n,
    p.user_id, 'text', decode(md5(n::text), 'hex'), %s
FROM (SELECT * FROM conversations_participant WHERE conversation_id = %s LIMIT 1) p CROSS JOIN generate_series(1, %s) n
"""


def fill_old_week(conversation: Conversation, count: int) -> None:
    """Let a conversation have said a number of things on that Monday."""
    time = f"{int(SOME_MONDAY.timestamp() * 1000):012x}"
    with connection.cursor() as cursor:
        cursor.execute(FILL, [time, SOME_MONDAY, conversation.pk, count])


def dumping(on: "psycopg.Connection[Any]") -> None:
    """Do as pg_dump does: one snapshot, and a lock on every table it will read, until the end."""
    on.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    for name in [*PARENTS, *sorted(partitions())]:
        on.execute(f"LOCK TABLE {name} IN ACCESS SHARE MODE")
