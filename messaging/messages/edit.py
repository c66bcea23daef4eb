"""What becomes of a message after it was said: its sender words it anew, or someone takes it back."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from chatproject.core.encryption import seal, unseal
from chatproject.core.errors import NotAllowed, Unprocessable
from conversations.membership import Rank, rank_of
from conversations.models import Conversation
from messaging.messages.change import announce, hold, show
from messaging.messages.json import MessageJSON, holds_media
from messaging.messages.mentions import mentioned, names_in
from messaging.messages.send import require_text
from messaging.models import Attachment, Message


@transaction.atomic
def edit_message(*, by: User, message_id: UUID, text: str) -> MessageJSON:
    """Word one's own message anew, within the edit window. The same text again changes nothing."""
    held = hold(by=by, message_id=message_id)
    message = held.message
    require_text(text, is_caption=holds_media(message))
    if message.sender_id != by.pk:
        raise NotAllowed("Only its sender can edit a message.")
    held.require_open()
    if held.now - message.created_at > timedelta(seconds=settings.EDIT_SECONDS):
        raise NotAllowed("This message is too old to be edited.")
    where = {"row": message.pk, "conversation": message.conversation_id}
    if message.body is not None and unseal(bytes(message.body), field="body", **where) == text:
        return show(message)
    message.body = seal(text, field="body", **where)
    message.mentions = mentioned(names_in(text), conversation_id=message.conversation_id, sender_id=by.pk)
    message.edited_at = held.now
    return announce(message, held.conversation)


@transaction.atomic
def delete_message(*, by: User, message_id: UUID) -> MessageJSON:
    """Take back a message for everyone: one's own, or anyone's as an admin of the group. Repeating it is harmless.

    What stays is a tombstone: that someone said something here. The fingerprint goes too; it would tell what.
    """
    held = hold(by=by, message_id=message_id)
    message, place = held.message, held.place
    if message.kind == Message.Kind.NOTICE:
        raise Unprocessable("A notice can't be deleted.")
    if message.sender_id != by.pk and rank_of(place) < Rank.ADMIN:
        raise NotAllowed("Only its sender and the group's admins can delete a message.")
    if message.deleted_at is not None:
        return show(message)
    return bury(message, held.conversation, at=held.now)


def bury(message: Message, conversation: Conversation, *, at: datetime) -> MessageJSON:
    """Leave nothing of a message but a tombstone; its conversation is locked."""
    message.reactions.all().delete()
    Attachment.objects.filter(message_id=message.pk, gone_at=None).update(gone_at=at)
    message.body = message.fingerprint = message.mentions = message.reply_to_id = None
    message.deleted_at = at
    return announce(message, conversation)
