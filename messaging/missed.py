"""What a simple device has missed: the messages above its person's delivered marks, told as if they were new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import dropwhile
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.realtime import encode
from chatproject.database import snapshot
from messaging.events import MessageCreated, MessageJSON, messages_json
from messaging.models import Message
from messaging.snapshots import resync

MISSED_MOST = 1000

# The conversations of a person, the latest active first: how far each is, and after which position it was missed.
PLACES = """
SELECT c.id, c.version, GREATEST(p.delivered_through, p.visible_from), c.last_position
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
WHERE p.user_id = %s AND p.left_at IS NULL ORDER BY c.active_at DESC, c.id
"""
MESSAGES = """
SELECT m.* FROM unnest(%(ids)s::uuid[], %(after)s::bigint[]) WITH ORDINALITY AS w(id, after, ord)
CROSS JOIN LATERAL (
    SELECT * FROM messaging_message m
    WHERE m.conversation_id = w.id AND m.position > w.after AND m.created_at > %(oldest)s
    ORDER BY m.position LIMIT %(most)s
) m ORDER BY w.ord, m.position LIMIT %(most)s
"""


class Place(NamedTuple):
    """A conversation someone is in: its version, the position after which it was missed, and its last one."""

    id: UUID
    version: int
    after: int
    last_position: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Messages, the oldest first in each conversation; which conversations are told in full, and which are not."""

    messages: Sequence[MessageJSON]
    versions: dict[str, int]
    unfinished: Sequence[UUID]

    def frames(self) -> Iterator[bytes]:
        """Tell it all, and from which versions live events go on."""
        for message in self.messages:
            yield MessageCreated(message["conversation_id"], message["position"], message).frame()
        for id in self.unfinished:
            yield resync(id)
        caught_up = {"more": bool(self.unfinished), "versions": self.versions}
        yield encode({"type": "caught_up", "data": caught_up})


def missed(*, by: User) -> Missed:
    """Read what someone has missed, up to a thousand messages, as at one moment."""
    with snapshot():
        places = _places(by)
        behind = [place for place in places if place.last_position > place.after]
        found = _messages(behind)
        messages = messages_json(found[:MISSED_MOST])
    unfinished = _unfinished(behind, found[MISSED_MOST:])
    versions = {str(place.id): place.version for place in places if place.id not in set(unfinished)}
    return Missed(messages, versions, unfinished)


def _places(by: User) -> list[Place]:
    with connection.cursor() as cursor:
        cursor.execute(PLACES, [by.pk])
        return [Place(*row) for row in cursor.fetchall()]


def _messages(behind: Sequence[Place]) -> list[Message]:
    """Read one message more than is told, so that what is left out is known."""
    values: dict[str, Any] = {
        "ids": [place.id for place in behind],
        "after": [place.after for place in behind],
        "oldest": timezone.now() - timedelta(days=settings.RETENTION_DAYS),
        "most": MISSED_MOST + 1,
    }
    return list(Message.objects.raw(MESSAGES, values)) if behind else []


def _unfinished(behind: Sequence[Place], left_out: Sequence[Message]) -> list[UUID]:
    if not left_out:
        return []
    first = left_out[0].conversation_id
    return [place.id for place in dropwhile(lambda place: place.id != first, behind)]
