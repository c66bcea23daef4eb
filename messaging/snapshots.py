"""What the hub reads: versions, memberships and missing changes, each from one snapshot of the database.

Runs on a small pool of asynchronous connections of its own, so that no audit or repair waits for a thread.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool

from accounts.models import User
from accounts.realtime import encode
from chatproject.database import connection_parameters, in_thread
from messaging.events import MessageCreated, MessageUpdated, message_json
from messaging.inbox import show_conversation
from messaging.models import Message


class Membership(NamedTuple):
    """Where a person's hearing of a conversation begins."""

    visible_from: int


@dataclass(frozen=True, slots=True)
class PersonSeen:
    version: int
    places: dict[UUID, Membership]
    sessions: set[UUID]


class Change(NamedTuple):
    """A change of a conversation as a frame, for those who see messages from the position `since` on."""

    version: int
    since: int
    frame: str


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


CHANGED = """
SELECT * FROM messaging_message WHERE conversation_id = %(id)s AND position > %(after)s
UNION
SELECT * FROM messaging_message WHERE conversation_id = %(id)s AND version > %(after)s AND version > position
ORDER BY version LIMIT %(most)s
"""


async def person(user_id: UUID) -> PersonSeen:
    """Read what a person is in and which of their sessions are alive."""
    async with _snapshot() as run:
        version = await run("SELECT version FROM accounts_user WHERE id = %s AND is_active", user_id)
        places = await run(
            "SELECT conversation_id, visible_from FROM conversations_participant "
            "WHERE user_id = %s AND left_at IS NULL",
            user_id,
        )
        sessions = await run("SELECT id FROM accounts_session WHERE user_id = %s AND ended_at IS NULL", user_id)
    if not version:
        return PersonSeen(0, {}, set())
    return PersonSeen(
        version[0].version,
        {row.conversation_id: Membership(row.visible_from) for row in places},
        {row.id for row in sessions},
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


async def changes(id: UUID, *, after: int, people: Collection[UUID], most: int) -> ConversationSeen:
    """Read what happened in a conversation after a version, as frames in the order of versions.

    A version whose change can't be told any more (it was followed by another of the same message), or that is one of
    too many, becomes a `resync`: fetch what you missed.
    """
    async with _snapshot() as run:
        found = await run("SELECT version, epoch FROM conversations_conversation WHERE id = %s", id)
        places = await run(
            "SELECT user_id, visible_from FROM conversations_participant "
            "WHERE conversation_id = %s AND user_id = ANY(%s) AND left_at IS NULL",
            id,
            list(people),
        )
        rows = await run(CHANGED, {"id": id, "after": after, "most": most})
    if not found:
        return ConversationSeen(after, -1, {}, [])
    version, epoch = found[0]
    if version - after <= most:
        found_changes = list(_changes(id, after, version, rows))
    else:
        found_changes = [Change(version, version, resync(id))]
    return ConversationSeen(
        version, epoch, {row.user_id: Membership(row.visible_from) for row in places}, found_changes
    )


@in_thread
def conversation(user_id: UUID, id: UUID) -> dict[str, Any]:
    """Read a conversation as one person sees it."""
    return show_conversation(by=User.objects.get(pk=user_id), conversation_id=id)


def _changes(id: UUID, after: int, version: int, rows: list[Any]) -> Iterator[Change]:
    messages = {row.version: Message(**row._asdict()) for row in rows}
    created = {message.position: message for message in messages.values()}
    for n in range(after + 1, version + 1):
        if n in created:
            yield Change(n, n, MessageCreated(str(id), n, message_json(created[n])).frame())
        elif n in messages:
            position = messages[n].position
            yield Change(n, position, MessageUpdated(str(id), n, message_json(messages[n])).frame())
        else:
            yield Change(n, n, resync(id))


def resync(id: UUID) -> str:
    """Tell a device to fetch what it missed of a conversation."""
    return encode({"type": "resync", "data": {"conversation_id": str(id)}})


@asynccontextmanager
async def _snapshot() -> AsyncIterator[Callable[..., Awaitable[list[Any]]]]:
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


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
    await connection.set_read_only(True)
