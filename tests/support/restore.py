"""What a restore from a backup does to the database, done by hand while servers run."""

import time
from uuid import UUID

import httpx
from django.db import connection, transaction

from chatproject.core.generation import current_generation, raise_generation
from tests.support.client import PATIENCE
from tests.support.server import RUNNING

TURN_BACK = """
DELETE FROM messaging_message WHERE conversation_id = %(id)s AND position > %(to)s;
DELETE FROM messaging_messagestatus WHERE conversation_id = %(id)s AND through > %(to)s;
UPDATE conversations_participant SET delivered_through = least(delivered_through, %(to)s),
    read_through = least(read_through, %(to)s) WHERE conversation_id = %(id)s;
UPDATE accounts_user SET version = greatest(version - 5, 0) WHERE id IN (
    SELECT user_id FROM conversations_participant WHERE conversation_id = %(id)s);
"""


@transaction.atomic
def restore(conversation_id: UUID, *, to: int) -> tuple[int, int]:
    """Turn a conversation back to a version, as it was when a backup was made, and begin a new generation.

    Return the version that the conversation had, and the new generation.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM conversations_conversation WHERE id = %s FOR UPDATE", [conversation_id])
        (had,) = cursor.fetchone()
        values = {"id": conversation_id, "to": to}
        cursor.execute(TURN_BACK, values)
        cursor.execute(
            "UPDATE conversations_conversation SET version = %(to)s, last_position = %(to)s WHERE id = %(id)s", values
        )
    return had, raise_generation()


def until_noticed() -> None:
    """Wait until every server that runs knows the present generation: those of other tests run, too."""
    deadline = time.monotonic() + PATIENCE
    while not all(_generation_of(server.url) == current_generation() for server in RUNNING):
        assert time.monotonic() < deadline, "a server does not notice that a backup was restored"
        time.sleep(0.05)


def _generation_of(url: str) -> int:
    return int(httpx.get(f"{url}/api/v1/server").json()["data"]["generation"])
