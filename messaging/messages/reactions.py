"""What people think of a message, in one emoji each time."""

from functools import cache
from uuid import UUID

from django.db import transaction
from emoji import EMOJI_DATA, STATUS

from accounts.models import User
from chatproject.core.errors import Invalid, Unprocessable
from messaging.messages.change import announce, hold, show
from messaging.messages.json import MessageJSON
from messaging.models import Reaction

KINDS_MOST = 20
"""Different emoji on one message."""
WITHOUT_SELECTORS = dict.fromkeys(map(ord, "\ufe0e\ufe0f"))
"""Removes the selectors that ask for text (VS15) or for a picture (VS16) where a character may be drawn as either."""


@transaction.atomic
def add_reaction(*, by: User, message_id: UUID, emoji: str) -> MessageJSON:
    """React to a message with an emoji; the same again changes nothing."""
    emoji = qualified(emoji)
    held = hold(by=by, message_id=message_id)
    held.require_open()
    message = held.message
    present = set(message.reactions.values_list("emoji", flat=True).distinct())
    if emoji not in present and len(present) >= KINDS_MOST:
        raise Unprocessable(f"A message has at most {KINDS_MOST} different reactions.", pointer="/emoji")
    one = {"message": message, "conversation_id": message.conversation_id, "user": by, "emoji": emoji}
    if Reaction.objects.filter(**one).exists():
        return show(message)
    Reaction.objects.create(**one)
    return announce(message, held.conversation)


@transaction.atomic
def remove_reaction(*, by: User, message_id: UUID, emoji: str) -> MessageJSON:
    """Take one's reaction back; where there is none, nothing changes."""
    emoji = qualified(emoji)
    held = hold(by=by, message_id=message_id)
    held.require_open()
    gone, _ = held.message.reactions.filter(user=by, emoji=emoji).delete()
    return announce(held.message, held.conversation) if gone else show(held.message)


@transaction.atomic
def toggle_reaction(*, by: User, message_id: UUID, emoji: str) -> MessageJSON:
    """React with an emoji, or take it back where it is one's own already, however many others reacted too."""
    mine = hold(by=by, message_id=message_id).message.reactions.filter(user=by, emoji=qualified(emoji))
    act = remove_reaction if mine.exists() else add_reaction
    return act(by=by, message_id=message_id, emoji=emoji)


def qualified(text: str) -> str:
    """Give the fully qualified form of an emoji (Unicode Technical Standard 51); Invalid for anything but one."""
    found = _by_plain_form().get(text.translate(WITHOUT_SELECTORS))
    if found is None:
        raise Invalid("This is not a single emoji.", pointer="/emoji")
    return found


@cache
def _by_plain_form() -> dict[str, str]:
    """Map every emoji without its selectors, as many keyboards send it, to its fully qualified form."""
    full = (text for text, about in EMOJI_DATA.items() if about["status"] == STATUS["fully_qualified"])
    return {text.translate(WITHOUT_SELECTORS): text for text in full}
