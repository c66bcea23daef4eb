"""Events of conversations, and the JSON in which members see each other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Protocol, TypedDict
from uuid import UUID

from accounts.models import User
from accounts.people.profiles import UserJSON, user_json
from accounts.people.read_receipt_privacy import shows_read_receipts
from chatproject.core.json_types import Count, IdText, PathText, TimeText, one_of
from chatproject.core.realtime import ConversationEvent, Event, timestamp
from conversations.models import Conversation


class Member(Protocol):
    """What the other members see of a participant: a `Participant`, or an object with the same attributes."""

    @property
    def user(self) -> User: ...
    @property
    def user_id(self) -> UUID: ...
    @property
    def role(self) -> str: ...
    @property
    def joined_at(self) -> datetime: ...
    @property
    def delivered_through(self) -> int: ...
    @property
    def read_through(self) -> int: ...


Role = Annotated[str, one_of("owner", "admin", "member")]
HistoryText = Annotated[str, one_of("joined", "shared")]


class ParticipantJSON(TypedDict):
    """A member as the other members see them; a watermark that they may not see is 0."""

    user: UserJSON
    role: Role
    joined_at: TimeText
    delivered_through: Count
    read_through: Count


class PlaceJSON(TypedDict):
    """One's own part of a conversation. A count of 100 means 100 or more."""

    role: Role
    joined_at: TimeText
    unread_count: Count
    mention_count: Count
    delivered_through: Count
    read_through: Count
    visible_from: Count
    notify: Annotated[str, one_of("all", "mentions", "none")]
    muted_until: TimeText | None
    pinned: bool
    archived: bool
    draft: str


class Members(TypedDict, total=False):
    """The members who joined and who changed, and the ids of those who left."""

    added: list[ParticipantJSON]
    updated: list[ParticipantJSON]
    removed: list[IdText]


class Changes(TypedDict, total=False):
    """The changed fields of a conversation; a field that is missing has not changed."""

    name: str
    description: str
    avatar_url: PathText | None
    owner_id: IdText | None
    history: HistoryText
    participants: Members
    participant_count: Count


@dataclass(frozen=True, slots=True)
class ConversationUpdated(Event):
    """A conversation has changed. Empty changes mean that the receiver may not see what changed."""

    type: ClassVar[str] = "conversation.updated"
    conversation_id: IdText
    version: Count
    epoch: Count
    changes: Changes


@dataclass(frozen=True, slots=True)
class ConversationRemoved(Event):
    """The receiver is no longer in a conversation: they `left` or were `removed`, or it was `deleted`."""

    type: ClassVar[str] = "conversation.removed"
    conversation_id: IdText
    reason: Annotated[str, one_of("left", "removed", "deleted")]


@dataclass(frozen=True, slots=True)
class ConversationSettings(Event):
    """The receiver's own part of a conversation has changed; its counts include messages up to `last_position`."""

    type: ClassVar[str] = "conversation.settings"
    conversation_id: IdText
    last_position: Count
    me: PlaceJSON


def conversation_updated(conversation: Conversation, changes: Changes) -> ConversationEvent:
    """Build the event that publishes the newest change of a conversation to all its members."""
    version, epoch = conversation.version, conversation.epoch
    frame = ConversationUpdated(str(conversation.pk), version, epoch, changes).frame()
    return ConversationEvent(conversation.pk, version, epoch, frame)


def participants_json(
    participants: Iterable[Member], conversation: Conversation, *, sees_read: bool = False
) -> list[ParticipantJSON]:
    """Describe members; with `sees_read` for one viewer who may see read receipts, otherwise for all members."""
    return [participant_json(participant, conversation, sees_read=sees_read) for participant in participants]


def participant_json(participant: Member, conversation: Conversation, *, sees_read: bool = False) -> ParticipantJSON:
    """Describe a member to the other members; the read watermark is 0 if they may not see it."""
    return {
        "user": user_json(participant.user),
        "role": role_of(participant, conversation),
        "joined_at": timestamp(participant.joined_at),
        "delivered_through": participant.delivered_through,
        "read_through": participant.read_through if sees_read and shows_read_receipts(participant.user) else 0,
    }


def role_of(participant: Member, conversation: Conversation) -> str:
    """Return `owner` for the owner of the conversation, otherwise the role of the participant."""
    return "owner" if participant.user_id == conversation.owner_id else participant.role
