"""What a page shows of messages. Times are in UTC; the page's script converts them to the reader's time zone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from accounts.models import User
from accounts.web.person_view import initials, tone
from chatproject.core.graphemes import truncate
from conversations.access import participant_of
from messaging.access import readable
from messaging.messages.json import MessageJSON, ReactionJSON, messages_json
from messaging.web.contexts.media import MediaItem
from messaging.web.contexts.message_html import render_text
from messaging.web.contexts.names import participant_avatars, participant_names, user_ids_in, with_missing_names
from messaging.web.phrases import join_names, message_summary, message_text, patterns

GROUP_PAUSE = timedelta(minutes=5)
"""The pause after which another message of the same sender begins a new group."""
QUOTE_LENGTH = 160
"""How much of a message a quote shows."""
MENTIONS_MARKED = 50
QUICK_REACTIONS = ("👍", "❤️", "😂", "😮", "😢", "🙏")


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that another one answers, in one line; it has no sender if the viewer may not see it."""

    id: str
    text: str
    sender: str = ""
    tone: int = 0

    @property
    def url(self) -> str:
        return reverse("message", args=[self.id])


@dataclass(frozen=True, slots=True)
class ReactionButton:
    """One emoji under a message, with how many users reacted with it, and who."""

    emoji: str
    count: int
    who: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class MessageActions:
    """The actions that a page offers for a message; the commands decide whether they are allowed."""

    reply: bool = False
    edit: bool = False
    delete: bool = False
    report: bool = False


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """One message in a timeline."""

    message: MessageJSON
    sender: str
    text: str
    is_mine: bool
    avatar: str = ""
    starts_day: bool = True
    starts_group: bool = True
    mentions_viewer: bool = False
    reached: str = ""
    """The status that all others have reached: `delivered` or `read`; empty while it is only sent."""
    quote: Quote | None = None
    reactions: list[ReactionButton] = field(default_factory=list)

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
        return f"{sent_at(self.message):%H:%M}"

    @property
    def day(self) -> str:
        at = sent_at(self.message)
        return f"{at.day} {at:%B %Y}"

    @property
    def html(self) -> SafeString:
        """The text; only what people wrote themselves gets links."""
        is_written = self.message["kind"] != "notice" and not self.message["deleted_at"]
        return render_text(self.text) if is_written else conditional_escape(self.text)

    @property
    def media(self) -> list[MediaItem]:
        return [MediaItem.of(each) for each in self.message["media"]]

    @property
    def media_key(self) -> str:
        """A key by which the page's script knows whether the media have changed."""
        return ",".join(f"{each['id']}{each['state']}" for each in self.message["media"])

    @property
    def lang(self) -> str:
        """The language of a notice is the page's; the language of what people write is not known."""
        return get_language() or "" if self.message["kind"] == "notice" else ""

    @property
    def mentions(self) -> str:
        """The ids of users whose names are highlighted in the text; of those whom `@all` means, only some."""
        return " ".join(self.message["mentions"][:MENTIONS_MARKED])

    @property
    def classes(self) -> str:
        is_notice = self.message["kind"] == "notice"
        is_mine = self.is_mine and not is_notice
        modifiers = {"mine": is_mine, "notice": is_notice, "day": self.starts_day, "opens": self.starts_group}
        return " ".join(f"line--{modifier}" for modifier, applies in modifiers.items() if applies)

    @property
    def message_classes(self) -> str:
        has_media = bool(self.message["media"])
        modifiers = {
            "deleted": self.message["deleted_at"],
            "meant": self.mentions_viewer,
            self.reached: self.reached,
            "laden": has_media,
            "wordless": has_media and not self.text,
        }
        return " ".join(f"message--{modifier}" for modifier, applies in modifiers.items() if applies)


def sent_at(message: MessageJSON) -> datetime:
    return datetime.fromisoformat(message["created_at"])


def timeline_items(
    messages: Iterable[MessageJSON], *, conversation: Mapping[str, Any], viewer: User
) -> list[TimelineItem]:
    """Make the items of a page of messages: who wrote each, and where a day or another sender begins."""
    known = list(messages)
    others = _answered(known, conversation=conversation, viewer=viewer)
    builder = ItemBuilder(
        names=with_missing_names(user_ids_in([*known, *others]), participant_names(conversation)),
        avatars=participant_avatars(conversation),
        messages={message["id"]: message for message in [*known, *others]},
        viewer_id=str(viewer.pk),
        words=patterns(),
        watermarks=watermarks_of_others(conversation, viewer=viewer),
    )
    return [
        builder.build(message, starts_day=starts_day(previous, message), starts_group=starts_group(previous, message))
        for previous, message in zip([None, *known], known, strict=False)
    ]


def watermarks_of_others(conversation: Mapping[str, Any], *, viewer: User) -> dict[str, int]:
    """Return the positions that all others have read and received; 0 in a group too large to list its members."""
    others = [each for each in conversation.get("participants", ()) if each["user"]["id"] != str(viewer.pk)]
    return {what: min((each[f"{what}_through"] for each in others), default=0) for what in ("read", "delivered")}


def _answered(known: Sequence[MessageJSON], *, conversation: Mapping[str, Any], viewer: User) -> list[MessageJSON]:
    """Read the answered messages that are not on the page themselves, as far as the viewer may see them."""
    missing = {each["reply_to_id"] for each in known if each["reply_to_id"]} - {each["id"] for each in known}
    if not missing:
        return []
    participant = participant_of(viewer, UUID(conversation["id"]))
    return messages_json(list(readable(participant).filter(pk__in=[UUID(each) for each in missing])))


@dataclass(frozen=True, slots=True)
class ItemBuilder:
    """What all items of one page need: names, pictures, answered messages, and the phrases of the language."""

    names: Mapping[str, str]
    avatars: Mapping[str, str]
    messages: Mapping[str, MessageJSON]
    viewer_id: str
    words: Mapping[str, str]
    watermarks: Mapping[str, int]

    def build(self, message: MessageJSON, *, starts_day: bool, starts_group: bool) -> TimelineItem:
        position = message["position"]
        return TimelineItem(
            message=message,
            sender=self._name(message["sender_id"]),
            avatar=self.avatars.get(message["sender_id"], ""),
            text=self._text(message),
            is_mine=message["sender_id"] == self.viewer_id,
            starts_day=starts_day,
            starts_group=starts_group,
            mentions_viewer=self.viewer_id in message["mentions"] and not message["deleted_at"],
            reached=next((what for what, through in self.watermarks.items() if position <= through), ""),
            quote=self._quote(message),
            reactions=[self._reaction(reaction) for reaction in message["reactions"]],
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
        summary = message_summary(answered, text=self._text(answered), words=self.words)
        text = " ".join(truncate(summary, QUOTE_LENGTH).split())
        sender = answered["sender_id"]
        return Quote(id=answered["id"], text=text, sender=self._name(sender), tone=tone(sender))

    def _reaction(self, reaction: ReactionJSON) -> ReactionButton:
        is_mine = self.viewer_id in reaction["user_ids"]
        others = [self._name(id) for id in reaction["user_ids"] if id != self.viewer_id]
        who = join_names([self.words["you"], *others] if is_mine else others, self.words)
        return ReactionButton(emoji=reaction["emoji"], count=reaction["count"], who=who, is_mine=is_mine)


def actions_for(message: MessageJSON, *, conversation: Mapping[str, Any], viewer: User) -> MessageActions:
    """Return the actions to offer the viewer for a message."""
    if message["deleted_at"] or message["kind"] == "notice":
        return MessageActions()
    is_mine = message["sender_id"] == str(viewer.pk)
    is_editable = timezone.now() - sent_at(message) < timedelta(seconds=settings.EDIT_SECONDS)
    is_admin = conversation["kind"] == "group" and conversation["me"]["role"] != "member"
    return MessageActions(reply=True, edit=is_mine and is_editable, delete=is_mine or is_admin, report=not is_mine)


def starts_day(previous: MessageJSON | None, message: MessageJSON) -> bool:
    return previous is None or sent_at(previous).date() != sent_at(message).date()


def starts_group(previous: MessageJSON | None, message: MessageJSON) -> bool:
    """Tell whether a message begins a group: on a new day, after another sender, a notice, or a pause."""
    if previous is None or starts_day(previous, message) or "notice" in (previous["kind"], message["kind"]):
        return True
    return previous["sender_id"] != message["sender_id"] or sent_at(message) - sent_at(previous) >= GROUP_PAUSE
