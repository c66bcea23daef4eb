"""Sending on: the same words and bytes in another conversation, and nothing of where they come from."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from chatproject.core import rate_limits
from chatproject.core.encryption import fingerprints, unseal
from chatproject.core.errors import Unprocessable
from chatproject.core.ids import uuid7
from chatproject.core.rate_limits import quotas
from conversations.access import memberships_of, participant_of
from conversations.commands import start_direct
from conversations.permissions import direct_between
from messaging.access import readable
from messaging.media.attachments import open_name, seal_name
from messaging.messages import append
from messaging.messages.append import Said
from messaging.messages.append_sql import Draft
from messaging.messages.json import MessageJSON, messages_json
from messaging.models import Attachment, Blob, Message


def forward_message(*, by: User, conversation_id: UUID, forward_of_id: UUID, id: UUID | None = None) -> Said:
    """Say in one conversation what was said in another; doing so again under the same id is the same message.

    Conversation.DoesNotExist for a stranger, Unprocessable if there is nothing that this person may send on,
    RateLimited after too much was sent on.
    """
    id = id or uuid7()
    source = _readable_by(by, forward_of_id)
    stored = Message.objects.filter(pk=id).first()
    if stored is not None:
        # A repeat is one, whatever has become of what was sent on.
        again = _draft(by, conversation_id, id, source)
        again.fingerprints = _fingerprint(by, conversation_id, forward_of_id)
        return Said(_repeated(by, append.recognise(again, stored)), repeated=True)
    participant_of(by, conversation_id)
    return _charged(by, source, lambda found: _forward(by, conversation_id, id, found))


def forward_direct(*, by: User, to: User, forward_of_id: UUID, id: UUID | None = None) -> Said:
    """Send a message on to a person, in the direct conversation, which is opened if there is none."""
    known = direct_between(by.pk, to.pk).first()
    if known is not None:
        return forward_message(by=by, conversation_id=known.pk, forward_of_id=forward_of_id, id=id)
    return _charged(by, _readable_by(by, forward_of_id), lambda found: _forward_first(by, to, id or uuid7(), found))


def _charged(by: User, source: Message | None, forward: Callable[[Message], Said]) -> Said:
    """Charge for a forward before its transaction begins; a repeat that came at the same moment costs nothing."""
    if source is None:
        raise Unprocessable("There is no such message to send on.", pointer="/forward_of_id")
    cost = 1 + Attachment.objects.filter(message_id=source.pk).count()
    with rate_limits.charged(by.pk, (quotas.FORWARDS, cost)) as charge:
        said = forward(source)
    if said.repeated:
        rate_limits.refund(charge)
    return said


@transaction.atomic
def _forward_first(by: User, to: User, id: UUID, source: Message) -> Said:
    conversation, _ = start_direct(by=by, to=to)
    return _forward(by, conversation.pk, id, source)


@transaction.atomic
def _forward(by: User, conversation_id: UUID, id: UUID, source: Message) -> Said:
    draft = _draft(by, conversation_id, id, source)
    draft.fingerprints, draft.names = _fingerprint(by, conversation_id, source.pk), ()
    draft.media = _copies(source, by)
    return append.append(draft)


def _fingerprint(by: User, conversation_id: UUID, forward_of_id: UUID) -> list[bytes]:
    """Write down what a repeat of a forward is recognised by."""
    return fingerprints(by.pk.bytes, conversation_id.bytes, b"forward", b"", forward_of_id.bytes, b"")


def _repeated(by: User, stored: Message) -> MessageJSON:
    """Show what was sent on before, as it is now to one who sees it still; whether they do is asked last."""
    shown = messages_json([stored])[0]
    sees_it = memberships_of(by).filter(conversation=stored.conversation_id, visible_from__lt=stored.position).exists()
    return shown if sees_it else append.unseen_json(stored)


def _readable_by(by: User, message_id: UUID) -> Message | None:
    """Find a message that someone may read, if it says something still."""
    message = Message.objects.filter(pk=message_id, deleted_at=None).exclude(kind=Message.Kind.NOTICE).first()
    place = memberships_of(by).filter(conversation=message.conversation_id).first() if message else None
    return readable(place).filter(pk=message_id).first() if place else None


def _draft(by: User, conversation_id: UUID, id: UUID, source: Message | None) -> Draft:
    """Write what is sent on anew; without a source, as much as a repeat is recognised by."""
    about: dict[str, Any] = {"sender_id": by.pk, "conversation_id": conversation_id, "id": id}
    if source is None:
        return append.draft(**about, text="")
    body = b"" if source.body is None else bytes(source.body)
    text = unseal(body, field="body", row=source.pk, conversation=source.conversation_id) if body else ""
    return append.draft(**about, text=text, kind=source.kind)


def _copies(source: Message, owner: User) -> list[UUID]:
    """Make what hangs on a message someone's own, on the same bytes, ready to be hung on another."""
    there = list(Attachment.objects.filter(message_id=source.pk).order_by("place"))
    # Held, so that nobody clears them up meanwhile.
    held = Blob.objects.select_for_update(no_key=True).filter(pk__in=[each.blob_id for each in there if each.blob_id])
    ready = {blob.pk for blob in held.order_by("pk") if blob.quarantined_at is None}
    copies = [_copy(each, owner) for each in there if each.blob_id in ready and each.gone_at is None]
    if len(copies) < len(there):
        raise Unprocessable("What hangs on this message can't be sent on.", pointer="/forward_of_id")
    Attachment.objects.bulk_create(copies)
    return [copy.pk for copy in copies]


def _copy(attachment: Attachment, owner: User) -> Attachment:
    id = uuid7()
    return Attachment(
        id=id,
        owner=owner,
        state=Attachment.State.READY,
        filename=seal_name(id, open_name(attachment.pk, bytes(attachment.filename))),
        content_type=attachment.content_type,
        size=attachment.size,
        blob_id=attachment.blob_id,
        taken_at=timezone.now(),
    )
