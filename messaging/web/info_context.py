"""What the page about a conversation shows: words ready to print, and what to offer to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.people.profiles import user_json
from accounts.web.faces import Person
from conversations.access import members_of, participant_of
from conversations.events import PlaceJSON, role_of
from conversations.invite_links import links_of
from conversations.membership import Rank, rank_of
from conversations.models import Conversation, InviteLink, Participant
from messaging.messages.json import ConversationJSON
from messaging.sync.inbox import show_conversation
from messaging.web.group_forms import FOR_EVER, MUTES
from messaging.web.inbox_context import Head, is_muted
from messaging.web.phrases import members, patterns

NOTIFY = (
    (Participant.Notify.ALL, "Everything"),
    (Participant.Notify.MENTIONS, "Only when I am mentioned"),
    (Participant.Notify.NONE, "Nothing"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """Someone in the group, and what the viewer may do about them."""

    person: Person
    role: str
    is_me: bool
    may_remove: bool
    may_rank: bool

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


@dataclass(frozen=True)
class Info:
    """A conversation as its page shows it to one of its members."""

    place: Participant
    shown: ConversationJSON
    head: Head
    members: Sequence[Member]
    links: Sequence[InviteLink]

    @property
    def is_group(self) -> bool:
        return self.head.is_group

    @property
    def is_admin(self) -> bool:
        return self.is_group and rank_of(self.place) >= Rank.ADMIN

    @property
    def is_owner(self) -> bool:
        return self.is_group and rank_of(self.place) == Rank.OWNER

    @property
    def must_hand_over(self) -> bool:
        """Whether the owner has to find another one before leaving."""
        return self.is_owner and len(self.members) > 1

    @property
    def count(self) -> str:
        return members(self.shown["participant_count"], patterns())

    @property
    def details(self) -> dict[str, Any]:
        return {name: self.shown[name] for name in ("name", "description", "history")}

    @property
    def me(self) -> PlaceJSON:
        return self.shown["me"]

    @property
    def other(self) -> Person | None:
        """The other one of two."""
        others = [member.person for member in self.members if not member.is_me]
        return others[0] if others and not self.is_group else None

    @cached_property
    def muted_until(self) -> datetime | None:
        """Until when the viewer wants to hear nothing, if that is still to come."""
        until = self.me["muted_until"]
        return datetime.fromisoformat(until) if until and is_muted(self.me) else None

    @property
    def is_muted_for_ever(self) -> bool:
        return self.muted_until is not None and self.muted_until >= FOR_EVER

    @property
    def mutes(self) -> Sequence[tuple[int, str]]:
        return MUTES

    @property
    def ways(self) -> list[tuple[str, str, bool]]:
        """What one may be told of: value, words, whether it is chosen."""
        return [(str(value), label, value == self.place.notify) for value, label in NOTIFY]

    @property
    def heirs(self) -> list[tuple[str, str]]:
        """Who may be handed the group, with their names."""
        return [
            (each.person.id, f"{each.person.name} (@{each.person.username})") for each in self.members if not each.is_me
        ]


def info_of(viewer: User, conversation_id: UUID) -> Info:
    """Gather what the page shows; Conversation.DoesNotExist for a stranger."""
    shown = show_conversation(by=viewer, conversation_id=conversation_id)
    place = participant_of(viewer, conversation_id)
    known = Info(place, shown, Head.of(shown, viewer=viewer), _members(place), ())
    if not known.is_admin:
        return known
    return Info(place, shown, known.head, known.members, links_of(by=viewer, conversation_id=conversation_id))


def _members(mine: Participant) -> list[Member]:
    """Everyone who is in: the owner, the admins, the rest; each by name."""
    places = list(members_of(mine.conversation).select_related("user"))
    for each in places:
        each.conversation = mine.conversation
    places.sort(key=lambda each: (-rank_of(each), each.user.name.casefold()))
    return [_member(each, mine) for each in places]


def _member(theirs: Participant, mine: Participant) -> Member:
    is_me = theirs.user_id == mine.user_id
    is_group = mine.conversation.kind == Conversation.Kind.GROUP
    return Member(
        person=Person.of(user_json(theirs.user)),
        role=role_of(theirs, theirs.conversation),
        is_me=is_me,
        may_remove=is_group and rank_of(mine) >= Rank.ADMIN and rank_of(mine) > rank_of(theirs),
        may_rank=is_group and rank_of(mine) == Rank.OWNER and not is_me,
    )
