"""The name and picture of a conversation, wherever a page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from accounts.models import User
from accounts.web.person_view import initials, tone
from messaging.web.contexts.names import participant_names


@dataclass(frozen=True, slots=True)
class ConversationHeader:
    """A conversation's name and picture, for its row in the inbox and the bar above its messages."""

    id: str
    name: str
    tone: int
    is_group: bool
    other_id: str
    """The other person in a direct conversation."""
    avatar: str
    """The path to the picture, if there is one."""

    @classmethod
    def of(cls, conversation: Mapping[str, Any], *, viewer: User) -> "ConversationHeader":
        is_group = conversation["kind"] == "group"
        others = [] if is_group else [each for each in participant_names(conversation) if each != str(viewer.pk)]
        other_id = others[0] if others else ""
        return cls(
            id=conversation["id"],
            name=conversation["name"],
            tone=tone(other_id or conversation["id"]),
            is_group=is_group,
            other_id=other_id,
            avatar=conversation["avatar_url"] or "",
        )

    @property
    def initials(self) -> str:
        return initials(self.name)

    @property
    def url(self) -> str:
        return reverse("conversation", args=[self.id])

    @property
    def info_url(self) -> str:
        return reverse("conversation_info", args=[self.id])
