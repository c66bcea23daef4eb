"""Reactions: people answer a message with an emoji."""

from functools import cache
from uuid import UUID

from django.db import transaction
from emoji import EMOJI_DATA, STATUS

from accounts.models import User
from chatproject.core.errors import Invalid, Unprocessable
from messaging.messages.json import MessageJSON
from messaging.messages.locked_message import current_json, lock_message, save_change
from messaging.models import Reaction

MAX_EMOJI = 20
"""Different emoji on one message."""
WITHOUT_SELECTORS = dict.fromkeys(map(ord, "\ufe0e\ufe0f"))
"""Removes the variation selectors for text (VS15) and for emoji presentation (VS16)."""


@transaction.atomic
def add_reaction(*, by: User, message_id: UUID, emoji: str) -> MessageJSON:
    """React to a message with an emoji; the same again changes nothing."""
    emoji = qualified(emoji)
    locked = lock_message(by=by, message_id=message_id)
    locked.require_open()
    message = locked.message
    present = set(message.reactions.values_list("emoji", flat=True).distinct())
    if emoji not in present and len(present) >= MAX_EMOJI:
        raise Unprocessable(f"A message has at most {MAX_EMOJI} different reactions.", pointer="/emoji")
    fields = {"message": message, "conversation_id": message.conversation_id, "user": by, "emoji": emoji}
    if Reaction.objects.filter(**fields).exists():
        return current_json(message)
    Reaction.objects.create(**fields)
    return save_change(message, locked.conversation)


@transaction.atomic
def remove_reaction(*, by: User, message_id: UUID, emoji: str) -> MessageJSON:
    """Remove one's reaction; where there is none, nothing changes."""
    emoji = qualified(emoji)
    locked = lock_message(by=by, message_id=message_id)
    locked.require_open()
    count, _ = locked.message.reactions.filter(user=by, emoji=emoji).delete()
    return save_change(locked.message, locked.conversation) if count else current_json(locked.message)


@transaction.atomic
def toggle_reaction(*, by: User, message_id: UUID, emoji: str) -> MessageJSON:
    """Add a reaction, or remove it if it is one's own already, however many others have reacted too."""
    mine = lock_message(by=by, message_id=message_id).message.reactions.filter(user=by, emoji=qualified(emoji))
    change = remove_reaction if mine.exists() else add_reaction
    return change(by=by, message_id=message_id, emoji=emoji)


def qualified(text: str) -> str:
    """Return the fully qualified form of an emoji (Unicode Technical Standard 51); Invalid for anything but one."""
    found = _by_plain_form().get(text.translate(WITHOUT_SELECTORS))
    if found is None:
        raise Invalid("This is not a single emoji.", pointer="/emoji")
    return found


@cache
def _by_plain_form() -> dict[str, str]:
    """Map every emoji without its variation selectors, as many keyboards send it, to its fully qualified form."""
    full = (text for text, about in EMOJI_DATA.items() if about["status"] == STATUS["fully_qualified"])
    return {text.translate(WITHOUT_SELECTORS): text for text in full}
