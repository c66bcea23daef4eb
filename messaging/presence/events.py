"""Events that are delivered at once or never, and stored nowhere: presence, typing, announcements of the staff."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Self, TypedDict
from uuid import UUID

from chatproject.core.json_types import IdText, TimeText, one_of
from chatproject.core.realtime import EVERYONE, Event, HubEvent, conversation_group, timestamp, user_group


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """Someone has come online or gone offline."""

    type: ClassVar[str] = "presence"
    user_id: IdText
    online: bool
    last_seen: TimeText | None

    @classmethod
    def of(cls, user_id: UUID, *, online: bool, last_seen: datetime | None) -> Self:
        return cls(str(user_id), **presence_json(online=online, last_seen=last_seen))


@dataclass(frozen=True, slots=True)
class TypingChanged(Event):
    """Someone starts or stops typing."""

    type: ClassVar[str] = "typing"
    conversation_id: IdText
    user_id: IdText
    state: Annotated[str, one_of("start", "stop")]


@dataclass(frozen=True, slots=True)
class Announcement(Event):
    """A message of the staff to everyone who is connected."""

    type: ClassVar[str] = "announcement"
    text: str


class PresenceJSON(TypedDict):
    """Whether someone is online, and when they last were."""

    online: bool
    last_seen: TimeText | None


def presence_json(*, online: bool, last_seen: datetime | None) -> PresenceJSON:
    """Show whether someone is online, and when they last were: now, for those who are."""
    moment = datetime.now(UTC) if online else last_seen
    return {"online": online, "last_seen": timestamp(moment) if moment else None}


def presence_group(user_id: UUID) -> str:
    return f"presence.{user_id.hex}"


class PresenceHint(HubEvent, frozen=True, tag="presence"):
    """Someone may have come or gone: hubs with watchers of this person ask the registry."""

    user_id: UUID

    @property
    def group(self) -> str:
        return presence_group(self.user_id)


class TypingSignal(HubEvent, frozen=True, tag="typing"):
    """Someone starts or stops typing in a conversation that has this epoch."""

    conversation_id: UUID
    user_id: UUID
    epoch: int
    starts: bool

    @property
    def group(self) -> str:
        return conversation_group(self.conversation_id)


class AnnouncementFrame(HubEvent, frozen=True, tag="announcement"):
    """A frame for everyone who is connected, or for everyone in one conversation."""

    frame: bytes
    conversation_id: UUID | None = None

    @property
    def group(self) -> str:
        return EVERYONE if self.conversation_id is None else conversation_group(self.conversation_id)

    @classmethod
    def of(cls, text: str, *, conversation_id: UUID | None = None) -> Self:
        return cls(Announcement(text).frame(), conversation_id)


class UserDisconnected(HubEvent, frozen=True, tag="disconnect"):
    """The staff closes the sockets that a person has at this moment."""

    user_id: UUID

    @property
    def group(self) -> str:
        return user_group(self.user_id)
