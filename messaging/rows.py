"""What a page shows of conversations: words ready to print, so that no template decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from messaging.events import MessageJSON
from messaging.inbox import list_conversations

TONES = 8


def tone(of: str) -> int:
    """Choose one of eight colours, always the same one for an id."""
    return int(of[-2:], 16) % TONES


def initials(name: str) -> str:
    """Take the first letters of the first and the last word; a bracket or a dash is none."""
    words = [word for word in name.split() if word[0].isalnum()] or name.split()
    return "".join(word[0].upper() for word in (words[:1] + words[1:][-1:]))


@dataclass(frozen=True, slots=True)
class Head:
    """A conversation's name and face, for its row in the inbox and the bar above it."""

    id: str
    name: str
    tone: int
    is_group: bool

    @classmethod
    def of(cls, conversation: Mapping[str, Any], *, viewer: User) -> "Head":
        is_group = conversation["kind"] == "group"
        faces = [] if is_group else [each for each in names_in(conversation) if each != str(viewer.pk)]
        hue = tone(faces[0] if faces else conversation["id"])
        return cls(id=conversation["id"], name=conversation["name"], tone=hue, is_group=is_group)

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def url(self) -> str:
        return reverse("conversation", args=[self.id])


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation in the inbox."""

    head: Head
    preview: str
    unread: int
    at: str
    is_open: bool

    @classmethod
    def of(cls, conversation: Mapping[str, Any], *, viewer: User, open_id: str | None) -> "Row":
        last = conversation["last_message"]
        return cls(
            head=Head.of(conversation, viewer=viewer),
            preview=preview(conversation, viewer=viewer),
            unread=conversation["me"]["unread_count"],
            at=last["created_at"] if last else conversation["created_at"],
            is_open=conversation["id"] == open_id,
        )

    @property
    def badge(self) -> str:
        return "99+" if self.unread > 99 else str(self.unread)

    @property
    def when(self) -> str:
        moment = datetime.fromisoformat(self.at)
        is_today = moment.date() == timezone.now().date()
        return f"{moment:%H:%M}" if is_today else f"{moment.day} {moment:%b}"


def inbox_beside(*, by: User, cursor: str | None = None, open_id: str | None = None) -> dict[str, Any]:
    """Draw up the inbox that stands beside every page."""
    page = list_conversations(by=by, cursor=cursor)
    return {"rows": [Row.of(each, viewer=by, open_id=open_id) for each in page.items], "next": page.next}


def preview(conversation: Mapping[str, Any], *, viewer: User) -> str:
    """Say in one line what was said last, and by whom where that is not plain."""
    last: MessageJSON | None = conversation["last_message"]
    if last is None:
        return "No messages yet"
    if last["deleted_at"]:
        return "Message deleted"
    if last["sender_id"] == str(viewer.pk):
        return f"You: {last['text']}"
    if last["kind"] == "notice" or conversation["kind"] == "direct":
        return last["text"]
    return f"{names_in(conversation).get(last['sender_id'], 'Someone')}: {last['text']}"


def names_in(conversation: Mapping[str, Any]) -> dict[str, str]:
    """The names of a conversation's people by id."""
    users = (each["user"] for each in conversation.get("participants", ()))
    return {user["id"]: user["display_name"] or user["username"] for user in users}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in a list of people."""

    id: str
    name: str
    username: str
    role: str = ""

    @classmethod
    def of(cls, user: Mapping[str, Any], role: str = "") -> "Person":
        return cls(id=user["id"], name=user["display_name"] or user["username"], username=user["username"], role=role)

    @property
    def url(self) -> str:
        return reverse("person", args=[self.id])

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def tone(self) -> int:
        return tone(self.id)


def people_in(conversation: Mapping[str, Any]) -> list[Person]:
    """List a conversation's people by name; what is ordinary about them goes unsaid."""
    people = [
        Person.of(
            each["user"], role="" if each["role"] == "member" or conversation["kind"] == "direct" else each["role"]
        )
        for each in conversation.get("participants", ())
    ]
    return sorted(people, key=lambda person: person.name.casefold())
