"""What the page about a conversation shows to one of its members."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.people.profiles import user_json
from accounts.web.person_view import Person
from conversations.access import members_of, participant_of
from conversations.events import PlaceJSON, role_of
from conversations.invite_links import links_of
from conversations.membership import Rank, rank_of
from conversations.models import Conversation, InviteLink, Participant
from messaging.messages.json import ConversationJSON
from messaging.sync.inbox import show_conversation
from messaging.web.contexts.header import ConversationHeader
from messaging.web.contexts.inbox import is_muted
from messaging.web.forms.conversation_info import MUTE_CHOICES, MUTED_FOREVER
from messaging.web.phrases import member_count, patterns

NOTIFY_LABELS = (
    (Participant.Notify.ALL, "Everything"),
    (Participant.Notify.MENTIONS, "Only when I am mentioned"),
    (Participant.Notify.NONE, "Nothing"),
)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of the conversation, and what the viewer may do about them."""

    person: Person
    role: str
    is_me: bool
    may_remove: bool
    may_change_role: bool

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


@dataclass(frozen=True)
class ConversationInfo:
    """A conversation as its page shows it to one of its members."""

    participant: Participant
    conversation: ConversationJSON
    header: ConversationHeader
    members: Sequence[MemberRow]
    links: Sequence[InviteLink]

    @property
    def is_group(self) -> bool:
        return self.header.is_group

    @property
    def is_admin(self) -> bool:
        return self.is_group and rank_of(self.participant) >= Rank.ADMIN

    @property
    def is_owner(self) -> bool:
        return self.is_group and rank_of(self.participant) == Rank.OWNER

    @property
    def must_transfer(self) -> bool:
        """Whether the viewer has to make another member the owner before they can leave."""
        return self.is_owner and len(self.members) > 1

    @property
    def count(self) -> str:
        return member_count(self.conversation["participant_count"], patterns())

    @property
    def details(self) -> dict[str, Any]:
        return {name: self.conversation[name] for name in ("name", "description", "history")}

    @property
    def me(self) -> PlaceJSON:
        return self.conversation["me"]

    @property
    def other(self) -> Person | None:
        """The other person in a direct conversation."""
        others = [member.person for member in self.members if not member.is_me]
        return others[0] if others and not self.is_group else None

    @cached_property
    def muted_until(self) -> datetime | None:
        """Until when the viewer has muted the conversation; None if that time is over."""
        until = self.me["muted_until"]
        return datetime.fromisoformat(until) if until and is_muted(self.me) else None

    @property
    def is_muted_forever(self) -> bool:
        return self.muted_until is not None and self.muted_until >= MUTED_FOREVER

    @property
    def mute_choices(self) -> Sequence[tuple[int, str]]:
        return MUTE_CHOICES

    @property
    def notify_choices(self) -> list[tuple[str, str, bool]]:
        """What the viewer may be notified of: value, label, and whether it is chosen."""
        return [(str(value), label, value == self.participant.notify) for value, label in NOTIFY_LABELS]

    @property
    def successors(self) -> list[tuple[str, str]]:
        """The ids and names of those who may become the owner."""
        return [
            (each.person.id, f"{each.person.name} (@{each.person.username})") for each in self.members if not each.is_me
        ]


def conversation_info(viewer: User, conversation_id: UUID) -> ConversationInfo:
    """Load what the page shows; Conversation.DoesNotExist for a stranger."""
    conversation = show_conversation(by=viewer, conversation_id=conversation_id)
    participant = participant_of(viewer, conversation_id)
    header = ConversationHeader.of(conversation, viewer=viewer)
    info = ConversationInfo(participant, conversation, header, _members(participant), ())
    if not info.is_admin:
        return info
    links = links_of(by=viewer, conversation_id=conversation_id)
    return ConversationInfo(participant, conversation, header, info.members, links)


def _members(mine: Participant) -> list[MemberRow]:
    """List the owner, then the admins, then the other members; each group by name."""
    participants = list(members_of(mine.conversation).select_related("user"))
    for each in participants:
        each.conversation = mine.conversation
    participants.sort(key=lambda each: (-rank_of(each), each.user.name.casefold()))
    return [_member_row(each, mine) for each in participants]


def _member_row(theirs: Participant, mine: Participant) -> MemberRow:
    is_me = theirs.user_id == mine.user_id
    is_group = mine.conversation.kind == Conversation.Kind.GROUP
    return MemberRow(
        person=Person.of(user_json(theirs.user)),
        role=role_of(theirs, theirs.conversation),
        is_me=is_me,
        may_remove=is_group and rank_of(mine) >= Rank.ADMIN and rank_of(mine) > rank_of(theirs),
        may_change_role=is_group and rank_of(mine) == Rank.OWNER and not is_me,
    )
