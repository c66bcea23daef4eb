"""Pages of a conversation, oldest message first, and single messages: the bodies of their answers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings

from accounts.auth.tokens import AccessClaims
from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.ids import first_id_at
from messaging.access import oldest
from messaging.fast_reads.message_cache import MessageCache
from messaging.fast_reads.queries import MessageQuery, PageQuery
from messaging.fast_reads.statements import BACKWARD, FORWARD, MESSAGE
from messaging.media.attachments import MEDIA_OF_MESSAGES, group_media
from messaging.messages.json import REACTIONS, has_media, message_json, reactions_json
from messaging.models import Message

WEEK = timedelta(days=7)
NO_TEXT, NO_NOTICE = b'"text":""', b'"notice":null'
LAST_POSITION = 2**63 - 1


class Row(NamedTuple):
    """A message as the statement returns it. What a person may read is all that is needed for its JSON."""

    pk: UUID
    conversation_id: UUID
    position: int
    version: int
    sender_id: UUID
    kind: str
    body: bytes | None
    reply_to_id: UUID | None
    mentions: list[UUID] | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None

    @property
    def id(self) -> UUID:
        return self.pk


class MessageReads:
    """Reads messages, and keeps the JSON of those that it has read."""

    def __init__(self) -> None:
        self._cache = MessageCache()
        self._generation = 0

    async def read(self, query: PageQuery | MessageQuery, *, by: AccessClaims, on: DedicatedConnection) -> bytes | None:
        """Return the body of the answer; None if there is nothing for this person, or no live session."""
        if isinstance(query, PageQuery):
            return await self._page(query, by, on)
        return await self._message(query, by, on)

    async def _page(self, query: PageQuery, by: AccessClaims, on: DedicatedConnection) -> bytes | None:
        statement, position = (BACKWARD, query.before) if query.after is None else (FORWARD, query.after)
        found = await on.run(statement, _page_values(query, by, LAST_POSITION if position is None else position))
        if not found:
            return None
        rows = [Row._make(message) for _, *message in found if message[0] is not None]
        shown, has_more = rows[: query.limit], len(rows) > query.limit
        following = shown[-1].position if has_more else None
        in_order = shown[::-1] if statement is BACKWARD else shown
        messages = b",".join(await self._messages(in_order, found[0][0], on))
        pagination = orjson.dumps({"next": following, "previous": None, "has_more": has_more})
        return b'{"data":[%b],"pagination":%b}' % (messages, pagination)

    async def _message(self, query: MessageQuery, by: AccessClaims, on: DedicatedConnection) -> bytes | None:
        found = await on.run(MESSAGE, {"message": query.message_id, "oldest": oldest(), **_session_values(by)})
        if not found:
            return None
        ((generation, *message),) = found
        return b'{"data":%b}' % (await self._messages([Row._make(message)], generation, on))[0]

    async def _messages(self, rows: Sequence[Row], generation: int, on: DedicatedConnection) -> list[bytes]:
        """Return the JSON of each message, from the cache where it is there."""
        if generation != self._generation:
            self._cache.clear()
            self._generation = generation
        known = [self._cache.get(row.pk, row.version) for row in rows]
        missing = [row for row, json in zip(rows, known, strict=True) if json is None]
        if missing:
            written = await _written(missing, on)
            for row in missing:
                # Another page may have been of another generation meanwhile.
                if generation == self._generation and may_be_kept(row, written[row.pk]):
                    self._cache.put(row.pk, row.version, written[row.pk])
            known = [json or written[row.pk] for row, json in zip(rows, known, strict=True)]
        return [json for json in known if json is not None]


def may_be_kept(row: Row, json: bytes) -> bool:
    """Tell whether the JSON of a message stays right for as long as its version is the same.

    Media change without a new version of their message, and what could not be decrypted may be readable later.
    """
    missing = NO_NOTICE if row.kind == Message.Kind.NOTICE else NO_TEXT
    return not has_media(row) and (row.deleted_at is not None or missing not in json)


async def _written(rows: Sequence[Row], on: DedicatedConnection) -> dict[UUID, bytes]:
    """Write the JSON of messages, with their reactions and media."""
    changed = [row.pk for row in rows if row.version > row.position]
    with_media = [row.pk for row in rows if has_media(row)]
    reactions = reactions_json(await on.run(REACTIONS, {"messages": changed})) if changed else {}
    media = group_media(await on.run(MEDIA_OF_MESSAGES, {"messages": with_media})) if with_media else {}
    return {
        row.pk: orjson.dumps(message_json(row, reactions=reactions.get(row.pk, ()), media=media.get(row.pk, ())))
        for row in rows
    }


def _page_values(query: PageQuery, by: AccessClaims, position: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        **_session_values(by),
        "conversation": query.conversation_id,
        "position": position,
        "count": query.limit + 1,
        "oldest": oldest(),
        # An id may be a week older than its message, and a little ahead.
        "first_id": first_id_at(now - timedelta(days=settings.RETENTION_DAYS) - 2 * WEEK),
        "end_id": first_id_at(now + timedelta(hours=1)),
    }


def _session_values(by: AccessClaims) -> dict[str, Any]:
    return {"session": by.session_id, "user": by.user_id, "pair": by.pair}
