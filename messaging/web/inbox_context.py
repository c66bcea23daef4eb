"""What a page shows of conversations: words ready to print, so that no template decides anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.people.devices import seen_words
from accounts.web.faces import Person, initials, tone
from chatproject.core.errors import Unavailable
from conversations.access import memberships_of
from messaging.messages.json import MessageJSON
from messaging.presence.queries import show_presence
from messaging.sync.inbox import list_conversations
from messaging.web.phrases import fill, notice_text, patterns, summary


@dataclass(frozen=True, slots=True)
class Head:
    """A conversation's name and face, for its row in the inbox and the bar above it."""

    id: str
    name: str
    tone: int
    is_group: bool
    other_id: str
    """The other person, where there is just one."""
    avatar: str
    """The path to the picture, if there is one."""

    @classmethod
    def of(cls, conversation: Mapping[str, Any], *, viewer: User) -> "Head":
        is_group = conversation["kind"] == "group"
        faces = [] if is_group else [each for each in names_in(conversation) if each != str(viewer.pk)]
        hue = tone(faces[0] if faces else conversation["id"])
        other = faces[0] if faces else ""
        about = {"id": conversation["id"], "name": conversation["name"], "avatar": conversation["avatar_url"] or ""}
        return cls(**about, tone=hue, is_group=is_group, other_id=other)

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def url(self) -> str:
        return reverse("conversation", args=[self.id])

    @property
    def info_url(self) -> str:
        return reverse("conversation_info", args=[self.id])


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation in the inbox."""

    head: Head
    preview: str
    unread: int
    mentions: int
    at: str
    is_open: bool
    is_pinned: bool
    is_muted: bool

    @property
    def badge(self) -> str:
        return "99+" if self.unread > 99 else str(self.unread)

    @property
    def when(self) -> str:
        moment = datetime.fromisoformat(self.at)
        is_today = moment.date() == timezone.now().date()
        return f"{moment:%H:%M}" if is_today else f"{moment.day} {moment:%b}"

    @property
    def classes(self) -> str:
        marks = {"unread": self.unread, "muted": self.is_muted, "pinned": self.is_pinned}
        return " ".join(f"row--{mark}" for mark, is_so in marks.items() if is_so)


def row_of(
    conversation: Mapping[str, Any], *, viewer: User, names: Mapping[str, str], words: Mapping[str, str], is_open: bool
) -> Row:
    """Draw up the row of a conversation."""
    last, me = conversation["last_message"], conversation["me"]
    draft = "" if is_open else me["draft"].strip()
    said = preview(conversation, viewer_id=str(viewer.pk), names=names, words=words)
    return Row(
        head=Head.of(conversation, viewer=viewer),
        preview=fill(words["draft"], text=draft) if draft else said,
        unread=me["unread_count"],
        mentions=me["mention_count"],
        at=last["created_at"] if last else conversation["created_at"],
        is_open=is_open,
        is_pinned=me["pinned"],
        is_muted=is_muted(me),
    )


def is_muted(me: Mapping[str, Any]) -> bool:
    """Tell whether someone wants to hear nothing of a conversation for now."""
    return bool(me["muted_until"]) and datetime.fromisoformat(me["muted_until"]) > timezone.now()


def inbox_beside(
    *, by: User, cursor: str | None = None, open_id: str | None = None, archived: bool = False
) -> dict[str, Any]:
    """Draw up the inbox that stands beside every page."""
    page, words = list_conversations(by=by, cursor=cursor, archived=archived), patterns()
    names = _names_for_rows(page.items)
    return {
        "rows": [
            row_of(each, viewer=by, names=names, words=words, is_open=each["id"] == open_id) for each in page.items
        ],
        "next": page.next,
        "is_archive": archived,
        "archived": memberships_of(by).filter(archived=True).count(),
        "words": words,
    }


def _names_for_rows(conversations: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The names of all who are spoken of in the rows."""
    names = {id: name for each in conversations for id, name in names_in(each).items()}
    return names_of(people_of(each["last_message"] for each in conversations if each["last_message"]), names)


def preview(
    conversation: Mapping[str, Any], *, viewer_id: str, names: Mapping[str, str], words: Mapping[str, str]
) -> str:
    """Say in one line what was said last, and by whom where that is not plain."""
    last: MessageJSON | None = conversation["last_message"]
    if last is None:
        return words["quiet"]
    if last["deleted_at"]:
        return words["gone"]
    if last["kind"] == "notice":
        return notice_text(last, names=names, viewer_id=viewer_id, words=words)
    said = summary(last, text=last["text"], words=words)
    if last["sender_id"] == viewer_id:
        return fill(words["said.mine"], text=said)
    if conversation["kind"] == "direct":
        return said
    return fill(words["said"], who=names.get(last["sender_id"], words["someone"]), text=said)


def names_in(conversation: Mapping[str, Any]) -> dict[str, str]:
    """The names of a conversation's people by id."""
    users = (each["user"] for each in conversation.get("participants", ()))
    return {user["id"]: user["display_name"] or user["username"] for user in users}


def faces_in(conversation: Mapping[str, Any]) -> dict[str, str]:
    """The paths to the pictures of a conversation's people by id."""
    users = (each["user"] for each in conversation.get("participants", ()))
    return {user["id"]: user["avatar_url"] or "" for user in users}


def people_of(messages: Iterable[MessageJSON]) -> set[str]:
    """Everyone whose name is needed to show some messages."""
    found: set[str] = set()
    for message in messages:
        found |= {message["sender_id"], *(message["notice"]["user_ids"] if message["notice"] else ())}
        found |= {id for reaction in message["reactions"] for id in reaction["user_ids"]}
    return found


def names_of(ids: Iterable[str], names: dict[str, str]) -> dict[str, str]:
    """Add the names of those who have left, or are too many to be listed."""
    unknown = set(ids) - names.keys()
    if not unknown:
        return names
    users = User.objects.in_bulk([UUID(each) for each in unknown])
    return names | {str(user.pk): user.name for user in users.values()}


@dataclass(frozen=True, slots=True)
class Here:
    """Whether someone is here, or when they last were."""

    text: str
    classes: str = ""

    @classmethod
    def of(cls, *, by: User, other: User) -> "Here | None":
        """What a person may know of another; None if nothing is known, or to be known."""
        words = patterns()
        try:
            seen = show_presence(by=by, other_id=other.pk)
        except (User.DoesNotExist, Unavailable):
            return None
        if seen["online"]:
            return cls(words["online"], "presence--online")
        if seen["last_seen"] is None:
            return None
        return cls(fill(words["seen"], when=seen_words(datetime.fromisoformat(seen["last_seen"]))))


def people_in(conversation: Mapping[str, Any]) -> list[Person]:
    """List a conversation's people by name; what is ordinary about them goes unsaid."""
    people = [
        Person.of(
            each["user"], role="" if each["role"] == "member" or conversation["kind"] == "direct" else each["role"]
        )
        for each in conversation.get("participants", ())
    ]
    return sorted(people, key=lambda person: person.name.casefold())
