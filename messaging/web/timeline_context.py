"""What a page shows of messages. Times are printed in UTC; the page's script puts them into the reader's own zone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from accounts.models import User
from accounts.web.faces import initials, tone
from chatproject.core.graphemes import cut
from conversations.access import participant_of
from messaging.access import readable
from messaging.messages.json import MessageJSON, ReactionJSON, messages_json
from messaging.messages.richtext import Link, marks_in
from messaging.web.inbox_context import faces_in, names_in, names_of, people_of
from messaging.web.media_context import Piece
from messaging.web.phrases import listed, message_text, patterns, summary

PAUSE = timedelta(minutes=5)
QUOTED = 160
"""How much of a message a quote shows."""
NAMES_MARKED = 50
UNDRAWN = "<span hidden>{}</span>"
LINK = '<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>'
QUICK = ("👍", "❤️", "😂", "😮", "😢", "🙏")
"""The reactions at hand."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that a line answers, in one line; without a sender it can't be shown."""

    id: str
    text: str
    sender: str = ""
    tone: int = 0

    @property
    def url(self) -> str:
        return reverse("message", args=[self.id])


@dataclass(frozen=True, slots=True)
class Chip:
    """One emoji under a message: how many think so, and who."""

    emoji: str
    count: int
    who: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Acts:
    """What someone may try with a message; whether it goes is the commands' to say."""

    answer: bool = False
    edit: bool = False
    delete: bool = False
    report: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One message in a timeline."""

    message: MessageJSON
    sender: str
    text: str
    is_mine: bool
    avatar: str = ""
    opens_day: bool = True
    opens: bool = True
    is_meant: bool = False
    reached: str = ""
    """How far all others have come with it: `delivered`, `read`, or no further than that it was sent."""
    quote: Quote | None = None
    chips: list[Chip] = field(default_factory=list)

    @property
    def url(self) -> str:
        return reverse("message", args=[self.message["id"]])

    @property
    def tone(self) -> int:
        return tone(self.message["sender_id"])

    @property
    def initials(self) -> str:
        return initials(self.sender)

    @property
    def clock(self) -> str:
        return f"{moment(self.message):%H:%M}"

    @property
    def day(self) -> str:
        at = moment(self.message)
        return f"{at.day} {at:%B %Y}"

    @property
    def html(self) -> SafeString:
        """The text with its links to click, where it is somebody's own words."""
        is_said = self.message["kind"] != "notice" and not self.message["deleted_at"]
        return drawn(self.text) if is_said else conditional_escape(self.text)

    @property
    def pieces(self) -> list[Piece]:
        """What hangs on it."""
        return [Piece.of(each) for each in self.message["media"]]

    @property
    def media_key(self) -> str:
        """By this the page's script knows whether what hangs on it has changed."""
        return ",".join(f"{each['id']}{each['state']}" for each in self.message["media"])

    @property
    def lang(self) -> str:
        """The language of a notice is the page's; that of what people say is not known."""
        return get_language() or "" if self.message["kind"] == "notice" else ""

    @property
    def mentions(self) -> str:
        """Whose names stand out in the text; of those whom `@all` means, some."""
        return " ".join(self.message["mentions"][:NAMES_MARKED])

    @property
    def classes(self) -> str:
        is_notice = self.message["kind"] == "notice"
        is_mine = self.is_mine and not is_notice
        marks = {"mine": is_mine, "notice": is_notice, "day": self.opens_day, "opens": self.opens}
        return " ".join(f"line--{mark}" for mark, is_so in marks.items() if is_so)

    @property
    def looks(self) -> str:
        marks = {"deleted": self.message["deleted_at"], "meant": self.is_meant, self.reached: self.reached}
        marks |= {"laden": bool(self.message["media"]), "wordless": bool(self.message["media"] and not self.text)}
        return " ".join(f"message--{mark}" for mark, is_so in marks.items() if is_so)


def drawn(text: str) -> SafeString:
    """Make HTML of a text. Blank lines around it take no room, but stay in it: who copies or edits it gets it whole."""
    start, end = inner_lines(text)
    before, after = (format_html(UNDRAWN, blank) if blank else "" for blank in (text[:start], text[end:]))
    return format_html("{}{}{}", before, linked(text[start:end]), after)


def inner_lines(text: str) -> tuple[int, int]:
    """Find where a text begins and ends without the blank lines around it; spaces within its lines count to it."""
    start = text[: len(text) - len(text.lstrip())].rfind("\n") + 1
    end = max(start, len(text.rstrip()))
    return start, end if "\n" in text[end:] else len(text)


def linked(text: str) -> SafeString:
    """Make HTML of a text in which web addresses are links; the page's script finds the same ones."""
    parts, done = [], 0
    for link in marks_in(text):
        if isinstance(link, Link):
            address = text[link.start : link.end]
            parts += [text[done : link.start], format_html(LINK, address, address)]
            done = link.end
    return format_html_join("", "{}", ((part,) for part in [*parts, text[done:]]))


def moment(message: MessageJSON) -> datetime:
    return datetime.fromisoformat(message["created_at"])


def lines_of(messages: Iterable[MessageJSON], *, conversation: Mapping[str, Any], viewer: User) -> list[Line]:
    """Draw up the lines of a page of messages: who speaks, where a day begins, where another speaker does."""
    known = list(messages)
    others = _answered(known, conversation=conversation, viewer=viewer)
    drawing = Drawing(
        names=names_of(people_of([*known, *others]), names_in(conversation)),
        faces=faces_in(conversation),
        messages={message["id"]: message for message in [*known, *others]},
        viewer_id=str(viewer.pk),
        words=patterns(),
        marks=marks_of_others(conversation, viewer=viewer),
    )
    return [
        drawing.line(message, opens_day=opens_day(previous, message), opens=opens(previous, message))
        for previous, message in zip([None, *known], known, strict=False)
    ]


def marks_of_others(conversation: Mapping[str, Any], *, viewer: User) -> dict[str, int]:
    """Tell up to where all others have had and have read what was said; in a crowd nobody is asked."""
    others = [each for each in conversation.get("participants", ()) if each["user"]["id"] != str(viewer.pk)]
    return {what: min((each[f"{what}_through"] for each in others), default=0) for what in ("read", "delivered")}


def _answered(known: Sequence[MessageJSON], *, conversation: Mapping[str, Any], viewer: User) -> list[MessageJSON]:
    """Read the messages that these answer, as far as they are not among them and the viewer may see them."""
    missing = {each["reply_to_id"] for each in known if each["reply_to_id"]} - {each["id"] for each in known}
    if not missing:
        return []
    place = participant_of(viewer, UUID(conversation["id"]))
    return messages_json(list(readable(place).filter(pk__in=[UUID(each) for each in missing])))


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is known while lines are drawn up."""

    names: Mapping[str, str]
    faces: Mapping[str, str]
    messages: Mapping[str, MessageJSON]
    viewer_id: str
    words: Mapping[str, str]
    marks: Mapping[str, int]

    def line(self, message: MessageJSON, **place: bool) -> Line:
        return Line(
            message=message,
            sender=self._name(message["sender_id"]),
            avatar=self.faces.get(message["sender_id"], ""),
            text=self._text(message),
            is_mine=message["sender_id"] == self.viewer_id,
            is_meant=self.viewer_id in message["mentions"] and not message["deleted_at"],
            reached=next((what for what, through in self.marks.items() if message["position"] <= through), ""),
            quote=self._quote(message),
            chips=[self._chip(reaction) for reaction in message["reactions"]],
            **place,
        )

    def _name(self, id: str) -> str:
        return self.names.get(id, self.words["someone"])

    def _text(self, message: MessageJSON) -> str:
        return message_text(message, names=self.names, viewer_id=self.viewer_id, words=self.words)

    def _quote(self, message: MessageJSON) -> Quote | None:
        if not message["reply_to_id"] or message["deleted_at"]:
            return None
        answered = self.messages.get(message["reply_to_id"])
        if answered is None:
            return Quote(id=message["reply_to_id"], text=self.words["unavailable"])
        said = summary(answered, text=self._text(answered), words=self.words)
        text = " ".join(cut(said, QUOTED).split())
        sender = answered["sender_id"]
        return Quote(id=answered["id"], text=text, sender=self._name(sender), tone=tone(sender))

    def _chip(self, reaction: ReactionJSON) -> Chip:
        is_mine = self.viewer_id in reaction["user_ids"]
        others = [self._name(id) for id in reaction["user_ids"] if id != self.viewer_id]
        who = listed([self.words["you"], *others] if is_mine else others, self.words)
        return Chip(emoji=reaction["emoji"], count=reaction["count"], who=who, is_mine=is_mine)


def acts_on(message: MessageJSON, *, conversation: Mapping[str, Any], viewer: User) -> Acts:
    """Tell which acts to offer someone for a message."""
    if message["deleted_at"] or message["kind"] == "notice":
        return Acts()
    is_mine = message["sender_id"] == str(viewer.pk)
    is_fresh = timezone.now() - moment(message) < timedelta(seconds=settings.EDIT_SECONDS)
    is_admin = conversation["kind"] == "group" and conversation["me"]["role"] != "member"
    return Acts(answer=True, edit=is_mine and is_fresh, delete=is_mine or is_admin, report=not is_mine)


def opens_day(previous: MessageJSON | None, message: MessageJSON) -> bool:
    return previous is None or moment(previous).date() != moment(message).date()


def opens(previous: MessageJSON | None, message: MessageJSON) -> bool:
    """Tell whether a line begins a group: a new day, another sender, a notice, or five minutes of silence."""
    if previous is None or opens_day(previous, message) or "notice" in (previous["kind"], message["kind"]):
        return True
    return previous["sender_id"] != message["sender_id"] or moment(message) - moment(previous) >= PAUSE
