"""What happened to conversations, and how their members are shown to each other."""

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
    """What the others see of someone's place: a `Participant`, or as much of it as is needed."""

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
    """A member as the other members see them; a mark that is not to be seen is 0."""

    user: UserJSON
    role: Role
    joined_at: TimeText
    delivered_through: Count
    read_through: Count


class PlaceJSON(TypedDict):
    """What is one's own about a conversation. Of 100 unread there are 100 or more."""

    role: Role
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
    """Who came, who changed and who went: participants as the contract shows them, and ids."""

    added: list[ParticipantJSON]
    updated: list[ParticipantJSON]
    removed: list[IdText]


class Changes(TypedDict, total=False):
    """What is different about a conversation; what is not named is as it was."""

    name: str
    description: str
    avatar_url: PathText | None
    owner_id: IdText | None
    history: HistoryText
    participants: Members
    participant_count: Count


@dataclass(frozen=True, slots=True)
class ConversationUpdated(Event):
    """A conversation has changed. Without any changes: something has that the hearer may not see."""

    type: ClassVar[str] = "conversation.updated"
    conversation_id: IdText
    version: Count
    epoch: Count
    changes: Changes


@dataclass(frozen=True, slots=True)
class ConversationRemoved(Event):
    """The hearer is out of a conversation: `left`, `removed`, or it was `deleted`."""

    type: ClassVar[str] = "conversation.removed"
    conversation_id: IdText
    reason: Annotated[str, one_of("left", "removed", "deleted")]


@dataclass(frozen=True, slots=True)
class ConversationSettings(Event):
    """What is the hearer's own about a conversation has changed; it is counted up to its last position."""

    type: ClassVar[str] = "conversation.settings"
    conversation_id: IdText
    last_position: Count
    me: PlaceJSON


def conversation_updated(conversation: Conversation, changes: Changes) -> ConversationEvent:
    """Write the newest change of a conversation as an event for everyone who is in it."""
    version, epoch = conversation.version, conversation.epoch
    frame = ConversationUpdated(str(conversation.pk), version, epoch, changes).frame()
    return ConversationEvent(conversation.pk, version, epoch, frame)


def participants_json(
    participants: Iterable[Member], conversation: Conversation, *, sees_read: bool = False
) -> list[ParticipantJSON]:
    """Show members to one who `sees_read`, how far others have read, or to all the others, some of whom may not."""
    return [participant_json(participant, conversation, sees_read=sees_read) for participant in participants]


def participant_json(participant: Member, conversation: Conversation, *, sees_read: bool = False) -> ParticipantJSON:
    """Show a member to the other members; how far someone has read is 0 where it is not to be seen."""
    return {
        "user": user_json(participant.user),
        "role": role_of(participant, conversation),
        "joined_at": timestamp(participant.joined_at),
        "delivered_through": participant.delivered_through,
        "read_through": participant.read_through if sees_read and shows_read_receipts(participant.user) else 0,
    }


def role_of(participant: Member, conversation: Conversation) -> str:
    """The owner is who the conversation says it is; the others are what their place says."""
    return "owner" if participant.user_id == conversation.owner_id else participant.role
