"""The JSON that a message and a conversation have in REST, socket frames and sync, and how it is made.

One shape everywhere: a client handles a message in the same way wherever it comes from.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, NotRequired, Protocol, TypedDict
from uuid import UUID

import orjson
from django.db import connection

from chatproject.core.encryption.sealing import unseal_or_empty
from chatproject.core.json_types import Count, IdText, PathText, TimeText, one_of
from chatproject.core.realtime import timestamp
from conversations.events import HistoryText, ParticipantJSON, PlaceJSON
from messaging.media.attachments import MediaJSON, media_of
from messaging.models import Message

REACTORS_SHOWN = 100
# Counted by the database: of a message with a thousand reactions only a few rows are read.
REACTIONS = f"""
SELECT message_id, emoji, (array_agg(user_id ORDER BY created_at, user_id))[:{REACTORS_SHOWN}], count(*)
FROM messaging_reaction WHERE message_id = ANY(%(messages)s)
GROUP BY message_id, emoji ORDER BY min(created_at), emoji
"""  # noqa: S608 (a number of our own)


class ReactionJSON(TypedDict):
    """Who reacted with one emoji: the first hundred, in the order in which they did, and how many they are."""

    emoji: str
    user_ids: list[IdText]
    count: Count


class NoticeJSON(TypedDict):
    """What a notice says: `user_ids` are those it happened to, `name` is the group's new one."""

    event: Annotated[str, one_of("created", "joined", "left", "removed", "renamed", "transferred")]
    user_ids: list[IdText]
    name: str | None


class MessageJSON(TypedDict):
    """A message as REST, socket and sync show it (contract, section 5)."""

    id: IdText
    conversation_id: IdText
    position: Count
    version: Count
    kind: Annotated[str, one_of("text", "image", "video", "audio", "file", "notice")]
    sender_id: IdText
    text: str
    media: list[MediaJSON]
    reply_to_id: IdText | None
    mentions: list[IdText]
    reactions: list[ReactionJSON]
    notice: NoticeJSON | None
    created_at: TimeText
    edited_at: TimeText | None
    deleted_at: TimeText | None


class ConversationJSON(TypedDict):
    """A conversation as one who is in it sees it (contract, section 4); groups of over 100 name no participants."""

    id: IdText
    kind: Annotated[str, one_of("direct", "group")]
    name: str
    description: str
    avatar_url: PathText | None
    owner_id: IdText | None
    history: HistoryText
    participant_count: Count
    participants: NotRequired[list[ParticipantJSON]]
    last_message: MessageJSON | None
    version: Count
    epoch: Count
    last_position: Count
    created_at: TimeText
    changed_at: TimeText
    me: PlaceJSON


class NewMessage(Protocol):
    """What a draft and a stored message have in common."""

    @property
    def id(self) -> UUID: ...
    @property
    def conversation_id(self) -> UUID: ...
    @property
    def sender_id(self) -> UUID: ...
    @property
    def kind(self) -> str: ...
    @property
    def reply_to_id(self) -> UUID | None: ...


class StoredMessage(NewMessage, Protocol):
    """What the JSON of a stored message is made of: a `Message`, or a row with these columns."""

    @property
    def pk(self) -> UUID: ...
    @property
    def position(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def body(self) -> Any: ...
    @property
    def mentions(self) -> list[UUID] | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def edited_at(self) -> datetime | None: ...
    @property
    def deleted_at(self) -> datetime | None: ...


def messages_json(messages: Sequence[Message]) -> list[MessageJSON]:
    """Make the JSON of stored messages, with their reactions and media: one query for each of the two, if needed."""
    found = _reactions([message.pk for message in messages if message.version > message.position])
    media = media_of([message.pk for message in messages if has_media(message)])
    return [
        message_json(message, reactions=found.get(message.pk, ()), media=media.get(message.pk, ()))
        for message in messages
    ]


def has_media(message: StoredMessage) -> bool:
    """Tell whether a message has media: its kind says so, until it is deleted."""
    return message.kind not in {Message.Kind.TEXT, Message.Kind.NOTICE} and message.deleted_at is None


def _reactions(ids: list[UUID]) -> dict[UUID, list[ReactionJSON]]:
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(REACTIONS, {"messages": ids})
        return reactions_json(cursor.fetchall())


def reactions_json(rows: Iterable[Sequence[Any]]) -> dict[UUID, list[ReactionJSON]]:
    """Make the JSON of the rows that `REACTIONS` found, by message."""
    found: dict[UUID, list[ReactionJSON]] = {}
    for message_id, emoji, user_ids, count in rows:
        one: ReactionJSON = {"emoji": emoji, "user_ids": [str(each) for each in user_ids], "count": count}
        found.setdefault(message_id, []).append(one)
    return found


def message_json(
    message: StoredMessage, *, reactions: Iterable[ReactionJSON] = (), media: Iterable[MediaJSON] = ()
) -> MessageJSON:
    """Make the JSON of a stored message; a deleted one keeps its position and has no content."""
    content = _content(message)
    is_notice = message.kind == Message.Kind.NOTICE
    position, version, created_at = message.position, message.version, timestamp(message.created_at)
    text = "" if is_notice else content
    shown = new_message_json(message, text=text, position=position, version=version, created_at=created_at)
    shown["edited_at"], shown["deleted_at"] = (
        _optional_timestamp(message.edited_at),
        _optional_timestamp(message.deleted_at),
    )
    shown["mentions"] = [str(user_id) for user_id in message.mentions or ()]
    shown["reactions"] = list(reactions)
    shown["media"] = list(media)
    shown["notice"] = orjson.loads(content) if is_notice and content else None
    return shown


def _content(message: StoredMessage) -> str:
    if message.body is None or message.deleted_at is not None:
        return ""
    field = "notice" if message.kind == Message.Kind.NOTICE else "body"
    return unseal_or_empty(bytes(message.body), field=field, row=message.pk, conversation=message.conversation_id)


def new_message_json(message: NewMessage, *, text: str, position: int, version: int, created_at: str) -> MessageJSON:
    """Make the JSON of a message that has just been stored: without media, mentions, reactions or changes."""
    return {
        "id": str(message.id),
        "conversation_id": str(message.conversation_id),
        "position": position,
        "version": version,
        "kind": message.kind,
        "sender_id": str(message.sender_id),
        "text": text,
        "media": [],
        "reply_to_id": str(message.reply_to_id) if message.reply_to_id else None,
        "mentions": [],
        "reactions": [],
        "notice": None,
        "created_at": created_at,
        "edited_at": None,
        "deleted_at": None,
    }


def _optional_timestamp(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None
