"""The inbox beside every page: one row for each conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from conversations.access import memberships_of
from messaging.messages.json import MessageJSON
from messaging.sync.inbox import list_conversations
from messaging.web.contexts.header import ConversationHeader
from messaging.web.contexts.names import participant_names, user_ids_in, with_missing_names
from messaging.web.phrases import fill, message_summary, patterns

BADGE_LIMIT = 99
"""The largest number of unread messages that the badge of a row shows."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One conversation in the inbox."""

    header: ConversationHeader
    preview: str
    unread: int
    mentions: int
    at: str
    is_open: bool
    is_pinned: bool
    is_muted: bool

    @property
    def badge(self) -> str:
        return f"{BADGE_LIMIT}+" if self.unread > BADGE_LIMIT else str(self.unread)

    @property
    def when(self) -> str:
        moment = datetime.fromisoformat(self.at)
        is_today = moment.date() == timezone.now().date()
        return f"{moment:%H:%M}" if is_today else f"{moment.day} {moment:%b}"

    @property
    def classes(self) -> str:
        modifiers = {"unread": self.unread, "muted": self.is_muted, "pinned": self.is_pinned}
        return " ".join(f"row--{modifier}" for modifier, applies in modifiers.items() if applies)


def inbox_row(
    conversation: Mapping[str, Any], *, viewer: User, names: Mapping[str, str], words: Mapping[str, str], is_open: bool
) -> InboxRow:
    """Make the row of a conversation. A draft replaces the last message, unless the conversation is open."""
    me = conversation["me"]
    draft = "" if is_open else me["draft"].strip()
    preview = message_preview(conversation, viewer_id=str(viewer.pk), names=names, words=words)
    return InboxRow(
        header=ConversationHeader.of(conversation, viewer=viewer),
        preview=fill(words["draft"], text=draft) if draft else preview,
        unread=me["unread_count"],
        mentions=me["mention_count"],
        at=last_activity(conversation),
        is_open=is_open,
        is_pinned=me["pinned"],
        is_muted=is_muted(me),
    )


def last_activity(conversation: Mapping[str, Any]) -> str:
    """Return the time by which a conversation is sorted: of its last message or its creation, or of one's joining."""
    last: MessageJSON | None = conversation["last_message"]
    spoken: str = last["created_at"] if last else conversation["created_at"]
    joined_at: str = conversation["me"]["joined_at"]
    return max(spoken, joined_at)


def is_muted(me: Mapping[str, Any]) -> bool:
    """Tell whether a participant has muted a conversation at this moment."""
    return bool(me["muted_until"]) and datetime.fromisoformat(me["muted_until"]) > timezone.now()


def inbox_sidebar(
    *, by: User, cursor: str | None = None, open_id: str | None = None, archived: bool = False
) -> dict[str, Any]:
    """Return the context of the inbox that every page shows at its side."""
    page, words = list_conversations(by=by, cursor=cursor, archived=archived), patterns()
    names = _names_for_rows(page.items)
    return {
        "rows": [
            inbox_row(each, viewer=by, names=names, words=words, is_open=each["id"] == open_id) for each in page.items
        ],
        "next": page.next,
        "is_archive": archived,
        "archived": memberships_of(by).filter(archived=True).count(),
        "words": words,
    }


def _names_for_rows(conversations: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of all whom the rows mention."""
    names = {id: name for each in conversations for id, name in participant_names(each).items()}
    latest = (each["last_message"] for each in conversations if each["last_message"])
    return with_missing_names(user_ids_in(latest), names)


def message_preview(
    conversation: Mapping[str, Any], *, viewer_id: str, names: Mapping[str, str], words: Mapping[str, str]
) -> str:
    """Return the last message in one line, with its sender's name in a group."""
    last: MessageJSON | None = conversation["last_message"]
    if last is None:
        return words["quiet.group" if conversation["kind"] == "group" else "quiet"]
    if last["deleted_at"]:
        return words["gone"]
    text = message_summary(last, text=last["text"], words=words)
    if last["sender_id"] == viewer_id:
        return fill(words["said.mine"], text=text)
    if conversation["kind"] == "direct":
        return text
    return fill(words["said"], who=names.get(last["sender_id"], words["someone"]), text=text)
