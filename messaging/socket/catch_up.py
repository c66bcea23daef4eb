"""Catching up: the messages after a person's delivered watermarks are sent to a simple device as if they were new.

They are loaded page by page, each when the device has received the one before, so that a device that does not read
needs the memory of one page only. No database connection is kept between pages.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakValueDictionary

from django.db import connection

from accounts.models import User
from chatproject.core.database import snapshot
from chatproject.core.realtime import encode
from messaging.access import oldest, visible
from messaging.messages.events import MessageCreated
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Message
from messaging.realtime.missed_changes import resync_frame

MISSED_MOST = 1000
PAGE_LENGTH = 32
PAGE_BYTES = 128 * 1024
"""Bytes of text after which a page ends; the message that reaches them still belongs to it."""
LOCK_TIMEOUT = 20.0
"""Seconds that a device waits while another one of its person catches up; one that does not read is closed earlier."""

# The conversations of a person, the most recently active first.
CONVERSATIONS = """
SELECT c.id, c.version, GREATEST(p.delivered_through, p.visible_from), c.last_position
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
WHERE p.user_id = %s AND p.left_at IS NULL ORDER BY c.active_at DESC, c.id
"""
# `before` is the number of bytes before a message. A conversation that the person has left meanwhile has no rows.
PAGE = f"""
SELECT id, conversation_id, position FROM (
    SELECT m.*, w.ord, sum(m.size) OVER (ORDER BY w.ord, m.position) - m.size AS before
    FROM unnest(%(ids)s::uuid[], %(after)s::bigint[], %(until)s::bigint[]) WITH ORDINALITY AS w(id, after, until, ord)
    JOIN conversations_participant p ON p.conversation_id = w.id AND p.user_id = %(by)s AND p.left_at IS NULL
    JOIN conversations_conversation c ON c.id = w.id
    CROSS JOIN LATERAL (
        SELECT x.id, x.conversation_id, x.position, COALESCE(length(x.body), 0) AS size FROM messaging_message x
        WHERE x.position > w.after AND x.position <= w.until AND {visible("x", "p", "c")}
        ORDER BY x.position LIMIT %(length)s
    ) m
    ORDER BY w.ord, m.position LIMIT %(length)s
) page WHERE before < %(bytes)s ORDER BY ord, position
"""  # noqa: S608 (a part of our own)


class ConversationProgress(NamedTuple):
    """A conversation of the person: its version, the position after which messages were missed, and the last one."""

    id: UUID
    version: int
    after: int
    last_position: int


class CatchUp:
    """One catch-up: up to a thousand missed messages, the oldest first in each conversation.

    Messages that are sent after it began are delivered as live events.
    """

    def __init__(self, *, by: User) -> None:
        self._conversations = _conversations_of(by)
        self._unfinished = [each for each in self._conversations if each.last_position > each.after]
        self._remaining = MISSED_MOST

    def next_page(self, *, by: User) -> Sequence[MessageJSON]:
        """Load the next messages; none if all were loaded, or as many as one catch-up may send."""
        while self._unfinished and self._remaining:
            first = self._unfinished[:PAGE_LENGTH]
            with snapshot():
                found = _page(by, first, length=min(PAGE_LENGTH, self._remaining))
                messages = messages_json(found)
            self._unfinished = [*_remaining_of(first, found), *self._unfinished[len(first) :]]
            self._remaining -= len(messages)
            if messages:
                return messages
        self._drop_finished(by)
        return ()

    def final_frames(self) -> Iterator[bytes]:
        """Return a `resync` for each conversation that was not sent completely, and the `caught_up` frame."""
        unfinished = {each.id for each in self._unfinished}
        for id in unfinished:
            yield resync_frame(id)
        versions = {str(each.id): each.version for each in self._conversations if each.id not in unfinished}
        yield encode({"type": "caught_up", "data": {"more": bool(unfinished), "versions": versions}})

    def _drop_finished(self, by: User) -> None:
        """Remove the first conversations that have no messages any more, up to the first one that has some."""
        while self._unfinished and not _page(by, self._unfinished[:1], length=1):
            del self._unfinished[0]


def created_frame(message: MessageJSON) -> bytes:
    """Encode a missed message as if it were new."""
    return MessageCreated(message["conversation_id"], message["position"], message).frame()


def _conversations_of(by: User) -> list[ConversationProgress]:
    with connection.cursor() as cursor:
        cursor.execute(CONVERSATIONS, [by.pk])
        return [ConversationProgress(*row) for row in cursor.fetchall()]


def _page(by: User, conversations: Sequence[ConversationProgress], *, length: int) -> list[Message]:
    values: dict[str, Any] = {
        "ids": [each.id for each in conversations],
        "after": [each.after for each in conversations],
        "until": [each.last_position for each in conversations],
        "by": by.pk,
        "oldest": oldest(),
        "length": length,
        "bytes": PAGE_BYTES,
    }
    with connection.cursor() as cursor:
        cursor.execute(PAGE, values)
        ids = [row[0] for row in cursor.fetchall()]
    found = Message.objects.in_bulk(ids)
    return [found[id] for id in ids if id in found]


def _remaining_of(
    conversations: Sequence[ConversationProgress], found: Sequence[Message]
) -> list[ConversationProgress]:
    """Return the conversations that have messages after this page of them; none if the page was empty."""
    if not found:
        return []
    last = found[-1]
    at = next(n for n, each in enumerate(conversations) if each.id == last.conversation_id)
    remaining = [conversations[at]._replace(after=last.position), *conversations[at + 1 :]]
    return [each for each in remaining if each.last_position > each.after]


_locks: "WeakValueDictionary[UUID, asyncio.Lock]" = WeakValueDictionary()


@asynccontextmanager
async def catch_up_lock(user_id: UUID) -> AsyncIterator[bool]:
    """Let one device of a person at a time catch up on this server process; yield False if the lock took too long."""
    lock = _locks.setdefault(user_id, asyncio.Lock())
    try:
        async with asyncio.timeout(LOCK_TIMEOUT):
            await lock.acquire()
    except TimeoutError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
