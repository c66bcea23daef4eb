"""What the hub reads: versions, memberships and missing changes, each from one snapshot of the database.

Runs on a small pool of asynchronous connections of its own, so that no audit or repair waits for a thread.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.utils import timezone
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool

from accounts.models import User
from accounts.realtime import encode
from chatproject.database import connection_parameters, in_thread
from conversations.access import present
from conversations.models import Conversation, Participant
from conversations.sight import SEEN, Pair, asking
from messaging.events import REACTIONS, message_json, reactions_json
from messaging.inbox import show_conversation, show_own
from messaging.models import Message
from messaging.replay import Change, replay


class Membership(NamedTuple):
    """What a person may hear of a conversation, as it was when the conversation had this epoch.

    They see messages after `visible_from`, and hear what happens after `hears_from`: not from before they came, nor
    what the conversation as it was shown to them holds already. Who is `barred` may not write.
    """

    visible_from: int
    joined_version: int
    hears_from: int
    epoch: int
    barred: bool

    @classmethod
    def of(cls, row: Any, *, epoch: int) -> Self:
        hears_from = max(row.visible_from, row.joined_version - 1)
        return cls(row.visible_from, row.joined_version, hears_from, epoch, row.barred)

    def told_until(self, version: int) -> Self:
        """The same place, hearing nothing again that was told until a version."""
        return self._replace(hears_from=max(self.hears_from, version))


Run = Callable[..., Awaitable[list[Any]]]


@dataclass(frozen=True, slots=True)
class PersonSeen:
    version: int
    places: dict[UUID, Membership]
    settled: list[UUID]
    """The conversations about which they have settled something since."""
    sessions: set[UUID]
    departures: dict[UUID, str]
    """Why they are out of the conversations that were asked about."""


@dataclass(frozen=True, slots=True)
class ConversationSeen:
    version: int
    epoch: int
    places: dict[UUID, Membership]
    changes: list[Change]


class Newer(NamedTuple):
    """The versions in the database that are ahead of those asked about."""

    conversations: dict[UUID, int]
    people: dict[UUID, int]


PLACES_OF = """
SELECT p.conversation_id, p.visible_from, p.joined_version, p.barred, c.epoch, p.me_version
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
WHERE p.user_id = %s AND p.left_at IS NULL
"""
PLACES_IN = """
SELECT user_id, visible_from, joined_version, barred FROM conversations_participant
WHERE conversation_id = %s AND user_id = ANY(%s) AND left_at IS NULL
"""
MESSAGES_CHANGED = """
SELECT * FROM messaging_message WHERE conversation_id = %(id)s AND position > %(after)s AND created_at > %(oldest)s
UNION ALL
SELECT * FROM messaging_message WHERE conversation_id = %(id)s AND version > %(after)s AND version > position
    AND position <= %(after)s AND created_at > %(oldest)s
"""
PLACES_CHANGED = """
SELECT * FROM conversations_participant WHERE conversation_id = %s AND changed_version > %s ORDER BY id
"""
SIZE = "SELECT count(*) AS size FROM conversations_participant WHERE conversation_id = %s AND left_at IS NULL"
SHOWN_OF_USERS = """
SELECT id, username, display_name, about, is_bot, settings, closed_at FROM accounts_user WHERE id = ANY(%s)
"""


async def person(user_id: UUID, *, after: int, known: Collection[UUID]) -> PersonSeen:
    """Read how it is with a person: what they are in, what they settled after a version of theirs, why they are out of
    what was known, and which of their sessions are alive.
    """
    async with _snapshot() as run:
        version = await run("SELECT version FROM accounts_user WHERE id = %s AND is_active", user_id)
        places = await run(PLACES_OF, user_id)
        sessions = await run("SELECT id FROM accounts_session WHERE user_id = %s AND ended_at IS NULL", user_id)
        departures = await run(
            "SELECT conversation_id, reason FROM conversations_departure "
            "WHERE user_id = %s AND conversation_id = ANY(%s)",
            user_id,
            list(known),
        )
    if not version:
        return PersonSeen(0, {}, [], set(), {})
    return PersonSeen(
        version[0].version,
        {row.conversation_id: Membership.of(row, epoch=row.epoch) for row in places},
        [row.conversation_id for row in places if row.me_version > after],
        {row.id for row in sessions},
        {row.conversation_id: row.reason for row in departures},
    )


async def versions(ids: Collection[UUID]) -> list[Any]:
    """Read id, version and epoch of some conversations."""
    async with _snapshot() as run:
        return await run("SELECT id, version, epoch FROM conversations_conversation WHERE id = ANY(%s)", list(ids))


async def newer(conversations: Mapping[UUID, int], people: Mapping[UUID, int]) -> Newer:
    """Find what has moved on past the versions given, by primary key."""
    sql = (
        "SELECT x.id, x.version FROM unnest(%s::uuid[], %s::bigint[]) AS known(id, version) "
        "JOIN {} x ON x.id = known.id AND x.version > known.version"
    )
    async with _snapshot() as run:
        found = [
            await run(sql.format(table), list(known), list(known.values())) if known else []
            for table, known in (("conversations_conversation", conversations), ("accounts_user", people))
        ]
    return Newer(*({row.id: row.version for row in rows} for rows in found))


async def changes(id: UUID, *, after: int, people: Collection[UUID], most: int) -> ConversationSeen | None:
    """Read what happened in a conversation after a version, as frames in the order of versions; None if it is no more.

    Where that is more than is told, the frame is a `resync`: fetch what you missed.
    """
    async with _snapshot() as run:
        found = await run("SELECT * FROM conversations_conversation WHERE id = %s", id)
        if not found:
            return None
        it = Conversation(**found[0]._asdict())
        places = await run(PLACES_IN, id, list(people))
        members = {row.user_id: Membership.of(row, epoch=it.epoch) for row in places}
        if it.version - after > most:
            told = [Change(it.version, it.version, resync(id))]
        else:
            told = await _told(run, it, after)
    return ConversationSeen(it.version, it.epoch, members, told)


async def _told(run: Run, conversation: Conversation, after: int) -> list[Change]:
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    rows = await run(MESSAGES_CHANGED, {"id": conversation.pk, "after": after, "oldest": oldest})
    messages = [Message(**row._asdict()) for row in rows]
    altered = [message.pk for message in messages if message.version > message.position]
    reactions = reactions_json(await run(REACTIONS, {"messages": altered})) if altered else {}
    places = [Participant(**row._asdict()) for row in await run(PLACES_CHANGED, conversation.pk, after)]
    users = await run(SHOWN_OF_USERS, [place.user_id for place in places]) if places else []
    known = {row.id: User(**row._asdict()) for row in users}
    for place in places:
        place.user = known[place.user_id]
    shown = [message_json(message, reactions=reactions.get(message.pk, ())) for message in messages]
    size = (await run(SIZE, conversation.pk))[0].size if places else 0
    return replay(conversation, after=after, messages=shown, places=places, size=size)


@in_thread
def conversation(user_id: UUID, id: UUID) -> dict[str, Any] | None:
    """Read a conversation as one person sees it; None if they are not in."""
    try:
        return show_conversation(by=User.objects.get(pk=user_id), conversation_id=id)
    except Conversation.DoesNotExist:
        return None


@in_thread
def own(user_id: UUID, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Read what is a person's own of some conversations, those that they are in."""
    places = present(User(pk=user_id)).filter(conversation__in=ids).select_related("conversation")
    return show_own(list(places))


async def sight(pairs: Collection[Pair]) -> dict[Pair, datetime | None]:
    """Read when people were last here, of those pairs of a viewer and another person where that may be seen."""
    async with _snapshot() as run:
        return {(row.viewer, row.other): row.last_seen for row in await run(SEEN, asking(pairs))}


def resync(id: UUID) -> bytes:
    """Tell a device to fetch what it missed of a conversation."""
    return encode({"type": "resync", "data": {"conversation_id": str(id)}})


@asynccontextmanager
async def _snapshot() -> AsyncIterator[Run]:
    """Run queries that all see the database at one moment; rows come as named tuples."""
    pool = await _pool()
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:

        async def run(sql: str, *values: object) -> list[Any]:
            await cursor.execute(sql, values[0] if values and isinstance(values[0], dict) else values)
            rows: list[Any] = await cursor.fetchall()
            return rows

        yield run


_pools: "WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncConnectionPool]" = WeakKeyDictionary()


async def _pool() -> AsyncConnectionPool:
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        known = connection_parameters() | {"row_factory": namedtuple_row, "autocommit": False}
        _pools[loop] = AsyncConnectionPool(
            kwargs=known,
            configure=_configure,
            check=AsyncConnectionPool.check_connection,
            min_size=1,
            max_size=4,
            timeout=10,
            open=False,
            name="snapshots",
        )
        await _pools[loop].open()
    return _pools[loop]


async def close() -> None:
    """Give the connections of this event loop back."""
    if pool := _pools.pop(asyncio.get_running_loop(), None):
        await pool.close()


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
