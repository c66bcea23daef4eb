"""A text without anything visible is refused at every door."""

from uuid import UUID

import pytest

from accounts.models import User
from accounts.staff.audit_log import Staff
from chatproject.core.errors import Invalid
from chatproject.core.text import require_reason
from conversations.models import Conversation
from messaging.messages.draft import require_text
from messaging.messages.edit import edit_message
from messaging.messages.send import send_direct
from messaging.models import Message
from messaging.moderation.connections import announce
from tests.conversations.test_names import GOOD, INVISIBLE
from tests.messaging.helpers import say, send_by_socket

BLANK = [
    *INVISIBLE,
    "",
    " \n\u3000",
    "\u2060",
    "\u200e",
    "\ufe0f",
    "\u034f",
    "\u180e",
    "\U000e0061",
    "\u2065",
    "\u20e3",
]


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_a_text_without_anything_visible_is_neither_sent_nor_announced(
    text: str, conversation: Conversation, alice: User, bob: User
) -> None:
    id = UUID(say(alice, conversation, "Hi")["id"])
    staff = Staff(User(is_staff=True, is_superuser=True), ip=None)
    for refused in (
        lambda: say(alice, conversation, text),
        lambda: send_direct(by=alice, to=bob, text=text),
        lambda: edit_message(by=alice, message_id=id, text=text),
        lambda: announce(by=staff, text=text),
        lambda: require_reason(text),
    ):
        with pytest.raises(Invalid):
            refused()
    assert Message.objects.filter(kind="text", edited_at=None).count() == 1


async def test_a_text_without_anything_visible_is_refused_by_the_socket(
    conversation: Conversation, alice: User
) -> None:
    with pytest.raises(Invalid):
        await send_by_socket(by_id=alice.pk, conversation_id=conversation.pk, text="\u200b")


@pytest.mark.parametrize("text", [*GOOD, "\u200b.\u200b", "\U0001fae8"], ids=ascii)
def test_a_visible_text_is_sent_as_it_is_written(text: str, conversation: Conversation, alice: User) -> None:
    assert say(alice, conversation, text)["text"] == text


def test_a_caption_may_be_missing_but_not_invisible() -> None:
    require_text("", is_caption=True)
    require_text(" \n", is_caption=True)
    with pytest.raises(Invalid):
        require_text("\u200b", is_caption=True)
