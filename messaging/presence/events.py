"""What is told at once or never, and kept nowhere: who is here, who is typing, what the staff announces."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self, TypedDict
from uuid import UUID

from chatproject.core.json_types import IdText, TimeText, one_of
from chatproject.core.realtime import EVERYONE, Event, Post, conversation_group, timestamp, user_group


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """Someone came, or has gone."""

    type: ClassVar[str] = "presence"
    user_id: IdText
    online: bool
    last_seen: TimeText | None

    @classmethod
    def of(cls, user_id: UUID, *, online: bool, last_seen: datetime | None) -> Self:
        return cls(str(user_id), **presence_json(online=online, last_seen=last_seen))


@dataclass(frozen=True, slots=True)
class TypingChanged(Event):
    """Someone began to type, or does so no more."""

    type: ClassVar[str] = "typing"
    conversation_id: IdText
    user_id: IdText
    state: Annotated[str, one_of("start", "stop")]


@dataclass(frozen=True, slots=True)
class Announcement(Event):
    """The staff has said something to all who are connected."""

    type: ClassVar[str] = "announcement"
    text: str


class PresenceJSON(TypedDict):
    """Whether someone is here, and when they last were."""

    online: bool
    last_seen: TimeText | None


def presence_json(*, online: bool, last_seen: datetime | None) -> PresenceJSON:
    """Show whether someone is here, and when they last were: whoever is here is so now."""
    moment = datetime.now(UTC) if online else last_seen
    return {"online": online, "last_seen": timestamp(moment) if moment else None}


def presence_group(user_id: UUID) -> str:
    return f"presence.{user_id.hex}"


def post_presence(user_id: UUID) -> Post:
    """Ask every server where someone watches a person to look whether they are here."""
    return presence_group(user_id), {"presence": user_id.bytes}


def post_typing(conversation_id: UUID, user_id: UUID, *, epoch: int, starts: bool) -> Post:
    """Tell the servers of a conversation's members that someone types there, or no more."""
    envelope: Any = {"typist": user_id.bytes, "conversation": conversation_id.bytes, "epoch": epoch, "starts": starts}
    return conversation_group(conversation_id), envelope


def post_announcement(text: str, *, conversation_id: UUID | None = None) -> Post:
    """Tell everyone who is connected something, or those who are in a conversation."""
    frame = Announcement(text).frame()
    if conversation_id is None:
        return EVERYONE, {"announcement": frame}
    return conversation_group(conversation_id), {"announcement": frame, "conversation": conversation_id.bytes}


def post_disconnect(user_id: UUID) -> Post:
    """Ask every server to close the sockets that a person has there."""
    return user_group(user_id), {"user": user_id.bytes, "disconnects": True}
