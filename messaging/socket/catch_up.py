"""What a simple device has missed: the messages above its person's delivered marks, as if they were new.

They are read page by page, each when the device has taken the one before, so that a device that does not read costs no
more than a page. No database connection is held in between.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import User
from chatproject.core.database import snapshot
from chatproject.core.realtime import encode
from messaging.messages.events import MessageCreated
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message
from messaging.realtime.missed_changes import resync_frame

MISSED_MOST = 1000
PAGE_LENGTH = 32
PAGE_BYTES = 128 * 1024
"""Bytes of text after which a page ends; the message that reaches them still belongs to it."""
TURN_SECONDS = 20.0
"""How long a device waits while another one of its person catches up: longer than one that does not read is kept."""

# The conversations of a person, the latest active first: how far each is, and after which position it was missed.
PLACES = """
SELECT c.id, c.version, GREATEST(p.delivered_through, p.visible_from), c.last_position
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
WHERE p.user_id = %s AND p.left_at IS NULL ORDER BY c.active_at DESC, c.id
"""
# `before` counts the bytes in front of a message. Whoever has gone out of a conversation meanwhile finds nothing there.
PAGE = """
SELECT id, conversation_id, position FROM (
    SELECT m.*, w.ord, sum(m.size) OVER (ORDER BY w.ord, m.position) - m.size AS before
    FROM unnest(%(ids)s::uuid[], %(after)s::bigint[], %(until)s::bigint[]) WITH ORDINALITY AS w(id, after, until, ord)
    JOIN conversations_participant p ON p.conversation_id = w.id AND p.user_id = %(by)s AND p.left_at IS NULL
    CROSS JOIN LATERAL (
        SELECT x.id, x.conversation_id, x.position, COALESCE(length(x.body), 0) AS size FROM messaging_message x
        WHERE x.conversation_id = w.id AND x.position > GREATEST(w.after, p.visible_from) AND x.position <= w.until
            AND x.created_at > %(oldest)s
        ORDER BY x.position LIMIT %(length)s
    ) m
    ORDER BY w.ord, m.position LIMIT %(length)s
) page WHERE before < %(bytes)s ORDER BY ord, position
"""


class Place(NamedTuple):
    """A conversation someone is in: its version, the position after which it was missed, and its last one."""

    id: UUID
    version: int
    after: int
    last_position: int


class Missed:
    """One catch-up: what is still to be read of it, up to a thousand messages, the oldest first in each conversation.

    What is said after it began comes by live events.
    """

    def __init__(self, *, by: User) -> None:
        self._places = _places(by)
        self._behind = [place for place in self._places if place.last_position > place.after]
        self._left = MISSED_MOST

    def next_page(self, *, by: User) -> Sequence[MessageJSON]:
        """Read the next messages; nothing where all were read, or as many as a catch-up gives."""
        while self._behind and self._left:
            first = self._behind[:PAGE_LENGTH]
            with snapshot():
                found = _page(by, first, length=min(PAGE_LENGTH, self._left))
                messages = messages_json(found)
            self._behind = [*_rest(first, found), *self._behind[len(first) :]]
            self._left -= len(messages)
            if messages:
                return messages
        self._drop_finished(by)
        return ()

    def end(self) -> Iterator[bytes]:
        """Name what is not told in full, and from which versions live events go on."""
        unfinished = {place.id for place in self._behind}
        for id in unfinished:
            yield resync_frame(id)
        versions = {str(place.id): place.version for place in self._places if place.id not in unfinished}
        yield encode({"type": "caught_up", "data": {"more": bool(unfinished), "versions": versions}})

    def _drop_finished(self, by: User) -> None:
        """Leave out the conversations of which nothing is left after all, as far as the first one with something."""
        while self._behind and not _page(by, self._behind[:1], length=1):
            del self._behind[0]


def created(message: MessageJSON) -> bytes:
    """Write a missed message as if it were new."""
    return MessageCreated(message["conversation_id"], message["position"], message).frame()


def _places(by: User) -> list[Place]:
    with connection.cursor() as cursor:
        cursor.execute(PLACES, [by.pk])
        return [Place(*row) for row in cursor.fetchall()]


def _page(by: User, places: Sequence[Place], *, length: int) -> list[Message]:
    values: dict[str, Any] = {
        "ids": [place.id for place in places],
        "after": [place.after for place in places],
        "until": [place.last_position for place in places],
        "by": by.pk,
        "oldest": timezone.now() - timedelta(days=settings.RETENTION_DAYS),
        "length": length,
        "bytes": PAGE_BYTES,
    }
    with connection.cursor() as cursor:
        cursor.execute(PAGE, values)
        ids = [row[0] for row in cursor.fetchall()]
    found = Message.objects.in_bulk(ids)
    return [found[id] for id in ids if id in found]


def _rest(places: Sequence[Place], found: Sequence[Message]) -> list[Place]:
    """What is left of some places behind a page of them; nothing where the page was empty."""
    if not found:
        return []
    last = found[-1]
    at = next(n for n, place in enumerate(places) if place.id == last.conversation_id)
    rest = [places[at]._replace(after=last.position), *places[at + 1 :]]
    return [place for place in rest if place.last_position > place.after]


_turns: "WeakValueDictionary[UUID, asyncio.Lock]" = WeakValueDictionary()


@asynccontextmanager
async def turn(user_id: UUID) -> AsyncIterator[bool]:
    """Let one device of a person at a time catch up on this server process; tell whether the turn came in time."""
    lock = _turns.setdefault(user_id, asyncio.Lock())
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await lock.acquire()
    except TimeoutError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
