"""Editing and deleting messages."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from chatproject.core.encryption.sealing import seal, unseal, unseal_digest
from chatproject.core.errors import NotAllowed, Unprocessable
from conversations.membership import Rank, rank_of
from conversations.models import Conversation
from messaging.messages.draft import require_text
from messaging.messages.json import MessageJSON, has_media
from messaging.messages.locked_message import current_json, lock_message, save_change
from messaging.messages.mentions import mentioned, names_in
from messaging.models import Attachment, Message


@transaction.atomic
def edit_message(*, by: User, message_id: UUID, text: str) -> MessageJSON:
    """Change the text of one's own message, within the edit window. The same text again changes nothing."""
    locked = lock_message(by=by, message_id=message_id)
    message = locked.message
    require_text(text, is_caption=has_media(message))
    if message.sender_id != by.pk:
        raise NotAllowed("Only its sender can edit a message.")
    locked.require_open()
    if locked.now - message.created_at > timedelta(seconds=settings.EDIT_SECONDS):
        raise NotAllowed("This message is too old to be edited.")
    body = bytes(message.body or b"")
    bound_to: dict[str, Any] = {"field": "body", "row": message.pk, "conversation": message.conversation_id}
    if unseal(body, **bound_to) == text:
        return current_json(message)
    # A repeat is still recognised by what was first sent.
    message.body = seal(text, **bound_to, digest=unseal_digest(body, **bound_to))
    message.mentions = mentioned(names_in(text), conversation_id=message.conversation_id, sender_id=by.pk)
    message.edited_at = locked.now
    return save_change(message, locked.conversation)


@transaction.atomic
def delete_message(*, by: User, message_id: UUID) -> MessageJSON:
    """Delete a message for everyone: one's own, or anyone's as an admin of the group. Repeating it is harmless.

    A tombstone stays in its place. The fingerprint is deleted too, because a guess of the text could be checked by it.
    """
    locked = lock_message(by=by, message_id=message_id)
    message = locked.message
    if message.kind == Message.Kind.NOTICE:
        raise Unprocessable("A notice can't be deleted.")
    if message.sender_id != by.pk and rank_of(locked.participant) < Rank.ADMIN:
        raise NotAllowed("Only its sender and the group's admins can delete a message.")
    if message.deleted_at is not None:
        return current_json(message)
    return make_tombstone(message, locked.conversation, at=locked.now)


def make_tombstone(message: Message, conversation: Conversation, *, at: datetime) -> MessageJSON:
    """Delete the content of a message and everything attached to it; its conversation is locked."""
    message.reactions.all().delete()
    Attachment.objects.filter(message_id=message.pk, gone_at=None).update(gone_at=at)
    message.body = message.fingerprint = message.mentions = message.reply_to_id = None
    message.deleted_at = at
    return save_change(message, conversation)
