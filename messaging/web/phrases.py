"""The sentences with which pages describe conversations, in the reader's language.

The server's templates and the page's script fill in the same patterns. Names in braces are filled in; a key that ends
with `.mine` is for what the reader did.
"""

from collections.abc import Mapping, Sequence
from unicodedata import bidirectional

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from messaging.messages.json import MessageJSON, NoticeJSON

NAMES_LISTED = 3
"""How many people a sentence names before it counts the others."""


def patterns() -> dict[str, str]:
    """Return all patterns in the reader's language, by their keys."""
    return {"lang": get_language() or "en", **_notices(), **_rows(), **_media(), **_people(), **_presence()}


def _notices() -> dict[str, str]:
    return {
        "created": _("{who} made the group “{name}”."),
        "created.mine": _("You made the group “{name}”."),
        "came": _("{who} joined by a link."),
        "came.mine": _("You joined by a link."),
        "joined": _("{who} added {whom}."),
        "joined.mine": _("You added {whom}."),
        "left": _("{who} left."),
        "left.mine": _("You left."),
        "removed": _("{who} removed {whom}."),
        "removed.mine": _("You removed {whom}."),
        "renamed": _("{who} named the group “{name}”."),
        "renamed.mine": _("You named the group “{name}”."),
        "transferred": _("{who} handed the group over to {whom}."),
        "transferred.mine": _("You handed the group over to {whom}."),
        "other": _("Something changed in this group."),
    }


def _rows() -> dict[str, str]:
    return {
        "quiet": _("No messages yet"),
        "quiet.group": _("Say hello to the group"),
        "gone": _("Message deleted"),
        "deleted": _("This message was deleted."),
        "unavailable": _("Message not available"),
        "said": _("{who}: {text}"),
        "said.mine": _("You: {text}"),
        "draft": _("Draft: {text}"),
    }


def _media() -> dict[str, str]:
    return {
        "media.image": _("Picture"),
        "media.video": _("Video"),
        "media.audio": _("Voice message"),
        "media.file": _("File: {name}"),
        "media.some": _("{n} files"),
        "media.images": _("{n} pictures"),
    }


def _people() -> dict[str, str]:
    return {
        "someone": _("Someone"),
        "you": _("You"),
        "you.whom": _("you"),
        "two": _("{some} and {last}"),
        "more": _("{some} and {n} others"),
        "member": _("1 member"),
        "members": _("{n} members"),
    }


def _presence() -> dict[str, str]:
    return {
        "online": _("online"),
        "seen": _("last seen {when}"),
        "typing": _("typing…"),
        "typing.one": _("{who} is typing…"),
        "typing.many": _("{who} are typing…"),
    }


def fill(pattern: str, **values: object) -> str:
    """Fill in a pattern. Values are not read as patterns, and do not change the direction of the text around them."""
    return pattern.format(**{name: isolate_direction(str(value)) for name, value in values.items()})


def isolate_direction(text: str) -> str:
    """Put a right-to-left text between Unicode's FSI and PDI; return other texts unchanged."""
    return f"\u2068{text}\u2069" if any(bidirectional(each) in {"R", "AL"} for each in text) else text


def join_names(names: Sequence[str], words: Mapping[str, str]) -> str:
    """Join names into one phrase; of a long list, name the first and count the others."""
    if len(names) > NAMES_LISTED + 1:
        return fill(words["more"], some=", ".join(names[:NAMES_LISTED]), n=len(names) - NAMES_LISTED)
    if len(names) > 1:
        return fill(words["two"], some=", ".join(names[:-1]), last=names[-1])
    return "".join(names)


def name_targets(ids: Sequence[str], *, names: Mapping[str, str], viewer_id: str, words: Mapping[str, str]) -> str:
    """Name the people whom a notice is about; the reader is "you" and comes first."""
    others = [names.get(id, words["someone"]) for id in ids if id != viewer_id]
    return join_names([words["you.whom"], *others] if viewer_id in ids else others, words)


def notice_text(message: MessageJSON, *, names: Mapping[str, str], viewer_id: str, words: Mapping[str, str]) -> str:
    """Return the text of a notice for its reader."""
    notice: NoticeJSON = message["notice"] or {"event": "other", "user_ids": [], "name": None}
    by, ids = message["sender_id"], notice["user_ids"]
    event = "came" if notice["event"] == "joined" and ids == [by] else notice["event"]
    pattern = words.get(f"{event}.mine" if by == viewer_id else event, words["other"])
    who = names.get(by, words["someone"])
    return fill(
        pattern,
        who=who,
        whom=name_targets(ids, names=names, viewer_id=viewer_id, words=words),
        name=notice["name"] or "",
    )


def member_count(count: int, words: Mapping[str, str]) -> str:
    """Return how many members a group has, in words."""
    return words["member"] if count == 1 else fill(words["members"], n=count)


def message_summary(message: MessageJSON, *, text: str, words: Mapping[str, str]) -> str:
    """Return a message in one line: its text, or else its media."""
    media = message["media"]
    if text or not media:
        return text
    if len(media) > 1:
        return fill(words["media.images" if message["kind"] == "image" else "media.some"], n=len(media))
    return fill(words[f"media.{message['kind']}"], name=media[0]["filename"])


def message_text(message: MessageJSON, *, names: Mapping[str, str], viewer_id: str, words: Mapping[str, str]) -> str:
    """Return the text that a timeline shows for a message."""
    if message["deleted_at"]:
        return words["deleted"]
    if message["kind"] == "notice":
        return notice_text(message, names=names, viewer_id=viewer_id, words=words)
    return message["text"]
