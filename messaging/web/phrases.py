"""What pages say of conversations, in the reader's language: one home for the sentences.

The server's pages and their script fill the same patterns. What stands in braces is filled in; a key with `.mine`
is for what the reader did.
"""

from collections.abc import Mapping, Sequence
from unicodedata import bidirectional

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from messaging.messages.json import MessageJSON, NoticeJSON

NAMES_MOST = 3
"""How many people a sentence names before it counts the others."""


def patterns() -> dict[str, str]:
    """Every pattern in the reader's language, by its key."""
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
    """Fill in a pattern; what is filled in is never read as one, and turns nothing round that stands beside it."""
    return pattern.format(**{name: isolated(str(value)) for name, value in values.items()})


def isolated(text: str) -> str:
    """Isolate a text that runs from right to left (Unicode's FSI and PDI); others stay as they are."""
    return f"\u2068{text}\u2069" if any(bidirectional(each) in {"R", "AL"} for each in text) else text


def listed(names: Sequence[str], words: Mapping[str, str]) -> str:
    """Name some people, and count the others when there are many."""
    if len(names) > NAMES_MOST + 1:
        return fill(words["more"], some=", ".join(names[:NAMES_MOST]), n=len(names) - NAMES_MOST)
    if len(names) > 1:
        return fill(words["two"], some=", ".join(names[:-1]), last=names[-1])
    return "".join(names)


def whom(ids: Sequence[str], *, names: Mapping[str, str], viewer_id: str, words: Mapping[str, str]) -> str:
    """Name those whom something happened to; the reader is you, and comes first."""
    others = [names.get(id, words["someone"]) for id in ids if id != viewer_id]
    return listed([words["you.whom"], *others] if viewer_id in ids else others, words)


def notice_text(message: MessageJSON, *, names: Mapping[str, str], viewer_id: str, words: Mapping[str, str]) -> str:
    """Word a notice for its reader."""
    notice: NoticeJSON = message["notice"] or {"event": "other", "user_ids": [], "name": None}
    by, ids = message["sender_id"], notice["user_ids"]
    event = "came" if notice["event"] == "joined" and ids == [by] else notice["event"]
    pattern = words.get(f"{event}.mine" if by == viewer_id else event, words["other"])
    who = names.get(by, words["someone"])
    return fill(
        pattern, who=who, whom=whom(ids, names=names, viewer_id=viewer_id, words=words), name=notice["name"] or ""
    )


def members(count: int, words: Mapping[str, str]) -> str:
    """Say how many are in a group."""
    return words["member"] if count == 1 else fill(words["members"], n=count)


def summary(message: MessageJSON, *, text: str, words: Mapping[str, str]) -> str:
    """What stands for a message where there is one line for it: its text, or what hangs on it."""
    media = message["media"]
    if text or not media:
        return text
    if len(media) > 1:
        return fill(words["media.images" if message["kind"] == "image" else "media.some"], n=len(media))
    return fill(words[f"media.{message['kind']}"], name=media[0]["filename"])


def message_text(message: MessageJSON, *, names: Mapping[str, str], viewer_id: str, words: Mapping[str, str]) -> str:
    """What a line shows of a message."""
    if message["deleted_at"]:
        return words["deleted"]
    if message["kind"] == "notice":
        return notice_text(message, names=names, viewer_id=viewer_id, words=words)
    return message["text"]
