"""Messages and edits that are committed and not published, for the tests of the hub."""

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chatproject.core.encryption.sealing import seal
from chatproject.core.realtime import ConversationEvent
from conversations.models import Conversation
from messaging.messages.events import message_created
from messaging.messages.outcome import stored_json
from messaging.models import Message
from messaging.realtime import reconciler
from tests.messaging import helpers
from tests.messaging.helpers import send_by_socket

BEFORE_RECONCILIATION = reconciler.INTERVAL - 1
"""Seconds within which a busy machine has done what is done at once, and no reconciliation has helped."""
append_unheard = sync_to_async(helpers.append_unheard)
draft = sync_to_async(helpers.draft)


async def say(by: User, conversation: Conversation, text: str = "Hi") -> None:
    await send_by_socket(by_id=by.pk, conversation_id=conversation.pk, text=text)


async def append_unpublished(by: User, conversation: Conversation, *texts: str) -> list[ConversationEvent]:
    """Commit messages without publishing them; return the events that should have been published."""
    drafts = [await draft(by, conversation, text) for text in texts]
    outcomes = await append_unheard(*drafts)
    return [
        message_created(conversation.pk, outcome.epoch, stored_json(it, outcome))
        for it, outcome in zip(drafts, outcomes, strict=True)
    ]


@sync_to_async
@transaction.atomic
def edit_unpublished(conversation: Conversation, position: int, text: str) -> None:
    """Edit a message without publishing it."""
    version = Conversation.objects.select_for_update().get(pk=conversation.pk).version + 1
    Conversation.objects.filter(pk=conversation.pk).update(version=version)
    message = Message.objects.get(conversation=conversation, position=position)
    body = seal(text, field="body", row=message.pk, conversation=conversation.pk)
    Message.objects.filter(pk=message.pk).update(body=body, version=version, edited_at=timezone.now())
