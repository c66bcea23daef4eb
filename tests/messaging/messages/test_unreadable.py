"""What no key opens: it hides nothing else, and nobody gets an error without a reason."""

import base64
import os
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.test.utils import override_settings

from accounts.models import User
from chatproject.core.encryption.errors import Unreadable
from chatproject.core.encryption.sealing import seal
from conversations.models import Conversation, Participant
from messaging.messages.edit import delete_message, edit_message
from messaging.messages.forward import forward_message
from messaging.models import Attachment, Message
from messaging.moderation.reports import report_message
from tests.accounts.visitor import Visitor
from tests.messaging.helpers import hang, say
from tests.support.client import Client


def lose(id: UUID) -> None:
    """Seal a message with a key that is lost."""
    message = Message.objects.get(pk=id)
    with override_settings(CHAT_KEYS=[base64.urlsafe_b64encode(os.urandom(32)).decode()]):
        body = seal("Hi", field="body", row=id, conversation=message.conversation_id, digest=b"d" * 32)
    Message.objects.filter(pk=id).update(body=body)


@pytest.fixture
def lost(conversation: Conversation, alice: User) -> UUID:
    """A message that alice has sent, and that no key opens any more."""
    id = UUID(say(alice, conversation, "Hi")["id"])
    lose(id)
    return id


def test_a_repeat_is_recognised_by_its_id_and_sender(lost: UUID, conversation: Conversation, alice: User) -> None:
    assert say(alice, conversation, "Hi", id=lost)["text"] == ""


def test_it_can_be_deleted_and_nothing_else(lost: UUID, conversation: Conversation, alice: User, bob: User) -> None:
    with pytest.raises(Unreadable):
        edit_message(by=alice, message_id=lost, text="Hello")
    with pytest.raises(Unreadable):
        forward_message(by=bob, conversation_id=conversation.pk, forward_of_id=lost)
    with pytest.raises(Unreadable):
        report_message(by=bob, message_id=lost, reason="spam")
    assert delete_message(by=alice, message_id=lost)["deleted_at"]


def test_the_reason_is_for_the_log_and_not_for_people(lost: UUID, alice: User) -> None:
    with pytest.raises(Unreadable, match="CHAT_KEYS") as refused:
        edit_message(by=alice, message_id=lost, text="Hello")
    assert "key" not in refused.value.detail


def test_pages_show_everything_else(lost: UUID, conversation: Conversation, alice: User, bob: User) -> None:
    hang(alice, conversation)
    Attachment.objects.update(filename=b"\1nonsense")
    Participant.objects.filter(user=bob).update(draft=b"\1nonsense")
    say(alice, conversation, "Still here")
    pages = Visitor(bob).client
    for path in ("/archived", f"/conversations/{conversation.pk}", f"/messages/{lost}"):
        assert pages.get(path).status_code == 200
    assert "Still here" in pages.get(f"/conversations/{conversation.pk}").content.decode()


async def test_everything_else_can_still_be_read(
    app: Callable[[User], Awaitable[Client]], lost: UUID, conversation: Conversation, alice: User, bob: User
) -> None:
    await sync_to_async(hang)(alice, conversation)
    await sync_to_async(Attachment.objects.update)(filename=b"\1nonsense")
    await sync_to_async(Participant.objects.filter(user=bob).update)(draft=b"\1nonsense")
    await sync_to_async(say)(alice, conversation, "Still here")
    his = await app(bob)
    for path, query in (
        (f"/messages/conversation/{conversation.pk}", {}),
        (f"/conversations/{conversation.pk}/changes", {"after": 0}),
    ):
        answer = await his.get(path, **query)
        assert answer.status_code == 200
        shown = answer.json()["data"]
        texts = {each["text"] for each in (shown["messages"] if isinstance(shown, dict) else shown)}
        assert texts == {"", "Still here"}
    assert (await his.get("/sync")).status_code == 200
    assert (await his.get(f"/messages/{lost}")).json()["data"]["text"] == ""
    answer = await his.post("/messages", conversation_id=str(conversation.pk), forward_of_id=str(lost))
    assert (answer.status_code, answer.json()["code"]) == (422, "unprocessable")
