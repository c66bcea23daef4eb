"""What happened to messages, and the one shape that a message has everywhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypedDict
from uuid import UUID

from accounts.realtime import Event, Post, conversation_group, timestamp
from messaging.fields import unseal
from messaging.models import Message


class MessageJSON(TypedDict):
    """A message as REST, socket and sync show it (contract, section 5)."""

    id: str
    conversation_id: str
    position: int
    version: int
    kind: str
    sender_id: str
    text: str
    media: list[dict[str, Any]]
    reply_to_id: str | None
    mentions: list[str]
    reactions: list[dict[str, Any]]
    notice: dict[str, Any] | None
    created_at: str
    edited_at: str | None
    deleted_at: str | None


@dataclass(frozen=True, slots=True)
class MessageCreated(Event):
    """Someone said something."""

    type: ClassVar[str] = "message.created"
    conversation_id: str
    version: int
    message: MessageJSON


@dataclass(frozen=True, slots=True)
class MessageUpdated(MessageCreated):
    """Something said has changed."""

    type: ClassVar[str] = "message.updated"


def message_json(message: Message) -> MessageJSON:
    """Show a stored message; a deleted one keeps its place and says nothing."""
    text = ""
    if message.body is not None and message.deleted_at is None:
        text = unseal(bytes(message.body), field="body", row=message.pk, conversation=message.conversation_id)
    position, version, created_at = message.position, message.version, message.created_at
    shown = shape(message, text=text, position=position, version=version, created_at=created_at)
    shown["edited_at"], shown["deleted_at"] = _maybe(message.edited_at), _maybe(message.deleted_at)
    return shown


class Spoken(Protocol):
    """What a message has from the moment it is composed."""

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


def shape(spoken: Spoken, *, text: str, position: int, version: int, created_at: datetime) -> MessageJSON:
    """Give a message its one shape, as one to which nothing has happened since."""
    return {
        "id": str(spoken.id),
        "conversation_id": str(spoken.conversation_id),
        "position": position,
        "version": version,
        "kind": spoken.kind,
        "sender_id": str(spoken.sender_id),
        "text": text,
        "media": [],
        "reply_to_id": str(spoken.reply_to_id) if spoken.reply_to_id else None,
        "mentions": [],
        "reactions": [],
        "notice": None,
        "created_at": timestamp(created_at),
        "edited_at": None,
        "deleted_at": None,
    }


def _maybe(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None


def post_created(conversation_id: UUID, epoch: int, message: MessageJSON) -> Post:
    """Address a new message to everyone who is in its conversation."""
    event = MessageCreated(str(conversation_id), message["position"], message)
    envelope = {"conversation": conversation_id.bytes, "version": event.version, "epoch": epoch, "frame": event.frame()}
    return conversation_group(conversation_id), envelope  # type: ignore[return-value]
