"""Forwarding: the text and media of a message in another conversation, without a trace of where they come from."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chatproject.core import rate_limits
from chatproject.core.encryption.sealing import unseal
from chatproject.core.errors import Unprocessable
from chatproject.core.ids import uuid7
from chatproject.core.rate_limits import quotas
from conversations.access import participant_of
from conversations.creation import start_direct
from conversations.permissions import direct_between
from messaging.access import read_message
from messaging.media.attachments import open_filename, seal_filename
from messaging.messages.append import append
from messaging.messages.draft import Draft, make_draft
from messaging.messages.json import MessageJSON, messages_json
from messaging.messages.outcome import SendResult
from messaging.messages.repeat import hidden_json, require_same_message
from messaging.models import Attachment, Blob, Message


def forward_message(*, by: User, conversation_id: UUID, forward_of_id: UUID, id: UUID | None = None) -> SendResult:
    """Forward a message to a conversation; doing so again under the same id returns the message that is stored.

    Conversation.DoesNotExist for a stranger, Unprocessable if this person can forward no such message, RateLimited
    after too many forwards.
    """
    id = id or uuid7()
    source = _find_source(by, forward_of_id)
    stored = Message.objects.filter(pk=id).first()
    if stored is not None:
        # A repeat is one, whatever has become of the forwarded message.
        repeat = _draft(by, conversation_id, id, forward_of_id)
        return SendResult(_repeat_json(by, require_same_message(repeat, stored)), repeated=True)
    participant_of(by, conversation_id)
    return _charged(by, source, lambda found: _forward(by, conversation_id, id, found))


def forward_direct(*, by: User, to: User, forward_of_id: UUID, id: UUID | None = None) -> SendResult:
    """Forward a message to a person, in the direct conversation, which is started if there is none."""
    known = direct_between(by.pk, to.pk).first()
    if known is not None:
        return forward_message(by=by, conversation_id=known.pk, forward_of_id=forward_of_id, id=id)
    return _charged(by, _find_source(by, forward_of_id), lambda found: _forward_first(by, to, id or uuid7(), found))


def _charged(by: User, source: Message | None, forward: Callable[[Message], SendResult]) -> SendResult:
    """Charge for a forward before its transaction begins; a repeat that came at the same moment costs nothing."""
    if source is None:
        raise Unprocessable("There is no such message to send on.", pointer="/forward_of_id")
    cost = 1 + Attachment.objects.filter(message_id=source.pk).count()
    with rate_limits.charged(by.pk, (quotas.FORWARDS, cost)) as charge:
        result = forward(source)
    if result.repeated:
        rate_limits.refund(charge)
    return result


@transaction.atomic
def _forward_first(by: User, to: User, id: UUID, source: Message) -> SendResult:
    conversation, _ = start_direct(by=by, to=to)
    return _forward(by, conversation.pk, id, source)


@transaction.atomic
def _forward(by: User, conversation_id: UUID, id: UUID, source: Message) -> SendResult:
    body = bytes(source.body or b"")
    text = unseal(body, field="body", row=source.pk, conversation=source.conversation_id) if body else ""
    draft = _draft(by, conversation_id, id, source.pk, text=text, kind=source.kind)
    draft.names, draft.media = (), _copy_media(source, by)
    return append(draft)


def _repeat_json(by: User, stored: Message) -> MessageJSON:
    """Make the JSON of a forward that is stored already. Access is checked last, so that it is as new as the rest."""
    shown = messages_json([stored])[0]
    try:
        read_message(by=by, message_id=stored.pk)
    except Message.DoesNotExist:
        return hidden_json(stored)
    return shown


def _find_source(by: User, message_id: UUID) -> Message | None:
    """Find a message that someone may read and that has content to forward."""
    try:
        message = read_message(by=by, message_id=message_id)
    except Message.DoesNotExist:
        return None
    return message if message.deleted_at is None and message.kind != Message.Kind.NOTICE else None


def _draft(by: User, conversation_id: UUID, id: UUID, forward_of_id: UUID, *, text: str = "", **fields: Any) -> Draft:
    """Make the draft of a forward; without a text it is just enough to recognise a repeat."""
    content = (b"forward", b"", forward_of_id.bytes, b"")
    return make_draft(sender_id=by.pk, conversation_id=conversation_id, id=id, text=text, content=content, **fields)


def _copy_media(source: Message, owner: User) -> list[UUID]:
    """Copy the attachments of a message for a new owner, on the same stored files, ready to be attached."""
    sources = list(Attachment.objects.filter(message_id=source.pk).order_by("place"))
    # Locked, so that no clean-up deletes them meanwhile.
    ids = [each.blob_id for each in sources if each.blob_id]
    locked = Blob.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    ready = {blob.pk for blob in locked if blob.quarantined_at is None}
    copies = [_copy(each, owner) for each in sources if each.blob_id in ready and each.gone_at is None]
    if len(copies) < len(sources):
        raise Unprocessable("What hangs on this message can't be sent on.", pointer="/forward_of_id")
    Attachment.objects.bulk_create(copies)
    return [copy.pk for copy in copies]


def _copy(attachment: Attachment, owner: User) -> Attachment:
    id = uuid7()
    return Attachment(
        id=id,
        owner=owner,
        state=Attachment.State.READY,
        filename=seal_filename(id, open_filename(attachment.pk, bytes(attachment.filename))),
        content_type=attachment.content_type,
        size=attachment.size,
        blob_id=attachment.blob_id,
        taken_at=timezone.now(),
    )
