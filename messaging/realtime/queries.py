"""What the hub reads: versions, memberships and missing changes, each from one snapshot of the database.

Runs on a small pool of asynchronous connections of its own, so that no audit or repair waits for a thread.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

import psycopg
from django.conf import settings
from django.utils import timezone
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool

from accounts.models import User
from chatproject.core.database import connection_parameters, in_thread, snapshot
from chatproject.core.ids import first_id_at
from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.realtime import encode
from conversations.events import PlaceJSON
from conversations.models import Conversation, Participant
from conversations.presence_privacy import VISIBLE_LAST_SEEN, Pair, parameters
from messaging.media.attachments import MEDIA_OF_MESSAGES, group_media
from messaging.messages.json import REACTIONS, ConversationJSON, has_media, message_json, reactions_json
from messaging.models import Message
from messaging.receipts.events import Receipt, ReceiptChange
from messaging.receipts.watermark_sql import IS_BLOCKED, LARGE_GROUPS, SENDERS_IN_LARGE_GROUPS, SHOWS_READ
from messaging.sync.inbox import show_conversation, show_own
from messaging.sync.replay import Change, replay


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
    sees_receipts: bool
    """Whether they see what others have read."""
    places: dict[UUID, Membership]
    settled: list[UUID]
    """The conversations about which they have settled something since."""
    sessions: set[UUID]
    is_suspended: bool
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
SELECT id, username, display_name, about, avatar_id, is_bot, settings, closed_at FROM accounts_user WHERE id = ANY(%s)
"""

RUNS = """
SELECT s.conversation_id, s.user_id, min(s.after) AS since,
    COALESCE(max(s.through) FILTER (WHERE s.what = 'delivered'), 0) AS delivered,
    COALESCE(max(s.through) FILTER (WHERE s.what = 'read'), 0) AS read
FROM messaging_messagestatus s
WHERE s.id >= %s AND s.conversation_id = ANY(%s)
GROUP BY s.conversation_id, s.user_id
"""
TOLD = f"""
WITH moved AS MATERIALIZED (
    SELECT r.conversation_id, r.user_id, r.since, p.delivered_through AS until, c.kind, c.epoch,
        p.delivered_through AS has, r.delivered > 0 AS has_more,
        CASE WHEN {SHOWS_READ} THEN p.read_through ELSE 0 END AS has_read
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[]) AS r(conversation_id, user_id, since, delivered)
    JOIN conversations_conversation c ON c.id = r.conversation_id
    JOIN conversations_participant p
        ON p.conversation_id = r.conversation_id AND p.user_id = r.user_id AND p.left_at IS NULL
    JOIN accounts_user u ON u.id = r.user_id
), large AS MATERIALIZED (
    {LARGE_GROUPS}
), concerned AS MATERIALIZED (
    {SENDERS_IN_LARGE_GROUPS}
)
SELECT m.*, c.recipients FROM moved m
LEFT JOIN concerned c ON (c.conversation_id, c.since, c.until) = (m.conversation_id, m.since, m.until)
WHERE (m.has_more OR m.has_read > 0) AND NOT ({IS_BLOCKED})
"""  # noqa: S608 (pieces of our own)


async def person(user_id: UUID, *, after: int, known: Collection[UUID]) -> PersonSeen:
    """Read how it is with a person: what they are in, what they settled after a version of theirs, why they are out of
    what was known, and which of their sessions are alive.
    """
    async with _snapshot() as run:
        version = await run(
            f"SELECT version, {SHOWS_READ} AS sees_receipts, suspended_at FROM accounts_user u "  # noqa: S608
            "WHERE id = %s AND is_active",
            user_id,
        )
        places = await run(PLACES_OF, user_id)
        sessions = await run("SELECT id FROM accounts_session WHERE user_id = %s AND ended_at IS NULL", user_id)
        departures = await run(
            "SELECT conversation_id, reason FROM conversations_departure "
            "WHERE user_id = %s AND conversation_id = ANY(%s)",
            user_id,
            list(known),
        )
    if not version:
        return PersonSeen(0, False, {}, [], set(), False, {})
    return PersonSeen(
        version[0].version,
        version[0].sees_receipts,
        {row.conversation_id: Membership.of(row, epoch=row.epoch) for row in places},
        [row.conversation_id for row in places if row.me_version > after],
        {row.id for row in sessions},
        version[0].suspended_at is not None,
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
    laden = [message.pk for message in messages if has_media(message)]
    media = group_media(await run(MEDIA_OF_MESSAGES, {"messages": laden})) if laden else {}
    places = [Participant(**row._asdict()) for row in await run(PLACES_CHANGED, conversation.pk, after)]
    users = await run(SHOWN_OF_USERS, [place.user_id for place in places]) if places else []
    known = {row.id: User(**row._asdict()) for row in users}
    for place in places:
        place.user = known[place.user_id]
    shown = [
        message_json(message, reactions=reactions.get(message.pk, ()), media=media.get(message.pk, ()))
        for message in messages
    ]
    size = (await run(SIZE, conversation.pk))[0].size if places else 0
    return replay(conversation, after=after, messages=shown, places=places, size=size)


@in_thread
def conversation(user_id: UUID, id: UUID) -> ConversationJSON | None:
    """Read a conversation as one person sees it; None if they are not in."""
    try:
        return show_conversation(by=User.objects.get(pk=user_id), conversation_id=id)
    except Conversation.DoesNotExist:
        return None


@in_thread
def own(wanted: Mapping[UUID, Collection[UUID]]) -> list[tuple[UUID, UUID, int, PlaceJSON]]:
    """Read what is each person's own of some conversations, those that they are in: person, conversation, the last
    position that was counted, and what is their own.
    """
    conversations = {id for ids in wanted.values() for id in ids}
    with snapshot():
        places = Participant.objects.filter(user__in=wanted, conversation__in=conversations, left_at=None)
        mine = [each for each in places.select_related("conversation") if each.conversation_id in wanted[each.user_id]]
        shown = show_own(mine)
    return [
        (each.user_id, each.conversation_id, each.conversation.last_position, shown[each.pk])
        for each in mine
        if each.pk in shown
    ]


async def runs(ids: Collection[UUID], *, back: float) -> list[Any]:
    """Read how far people have come in the last seconds in some conversations: conversation, person, since where,
    delivered and read; 0 for no news.
    """
    async with _snapshot() as run:
        return await run(RUNS, first_id_at(timezone.now() - timedelta(seconds=back)), list(ids))


async def receipts(rows: Collection[Any]) -> list[ReceiptChange]:
    """Read what of some runs, as `runs` gives them, may be told, and to whom."""
    columns = zip(*((row.conversation_id, row.user_id, row.since, row.delivered) for row in rows), strict=True)
    async with _snapshot() as run:
        found = await run(TOLD, *map(list, columns))
    return [
        ReceiptChange(
            row.conversation_id, row.epoch, Receipt(row.user_id, row.has, row.has_read, row.has_more), row.recipients
        )
        for row in found
    ]


async def sight(pairs: Collection[Pair]) -> dict[Pair, datetime | None]:
    """Read when people were last here, of those pairs of a viewer and another person where that may be seen."""
    async with _snapshot() as run:
        return {(row.viewer, row.other): row.last_seen for row in await run(VISIBLE_LAST_SEEN, parameters(pairs))}


def resync(id: UUID) -> bytes:
    """Tell a device to fetch what it missed of a conversation."""
    return encode({"type": "resync", "data": {"conversation_id": str(id)}})


@asynccontextmanager
async def _snapshot() -> AsyncIterator[Run]:
    """Run queries that all see the database at one moment; rows come as named tuples."""
    pool = _pools()
    if pool.closed:
        await pool.open()
    async with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:

        async def run(sql: str, *values: object) -> list[Any]:
            await cursor.execute(sql, values[0] if values and isinstance(values[0], dict) else values)
            rows: list[Any] = await cursor.fetchall()
            return rows

        yield run


def _make_pool() -> AsyncConnectionPool:
    return AsyncConnectionPool(
        kwargs=connection_parameters() | {"row_factory": namedtuple_row, "autocommit": False},
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
        min_size=1,
        max_size=4,
        # After an outage it would wait longer each time before it tries again; who asks, asks again soon.
        timeout=2.5,
        reconnect_timeout=1,
        open=False,
        name="snapshots",
    )


_pools = OnePerLoop(_make_pool)


async def close() -> None:
    """Close the connections of this event loop."""
    if pool := _pools.pop():
        await pool.close()


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
