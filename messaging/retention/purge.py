"""Purging: messages of deleted groups, old departures, and the content of old reports."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from conversations.models import Conversation, Departure
from messaging.models import Attachment, Message, MessageStatus, Reaction, Report

BATCH = 2000
"""Messages that are deleted in one transaction, so that nothing waits for long."""
DEPARTURES_KEPT = timedelta(days=30)

# A LATERAL join looks each group up in the index `history`; a plain EXISTS might read all messages.
LEFT_BEHIND = """
SELECT d.conversation_id
FROM (SELECT DISTINCT conversation_id FROM conversations_departure WHERE reason = 'deleted') d
CROSS JOIN LATERAL (SELECT 1 FROM messaging_message m WHERE m.conversation_id = d.conversation_id LIMIT 1) one
"""


def forget_conversation(id: UUID) -> int:
    """Delete the messages of a deleted group with all that belongs to them, and return their number; may be repeated.

    Nobody can read them meanwhile: reading needs a participant of the conversation.
    """
    if Conversation.objects.filter(pk=id).exists():
        return 0
    MessageStatus.objects.filter(conversation=id).delete()
    Attachment.objects.filter(conversation_id=id, use="avatar", gone_at=None).update(gone_at=timezone.now())
    deleted = 0
    while count := _forget_batch(id):
        deleted += count
    return deleted


@transaction.atomic
def _forget_batch(id: UUID) -> int:
    """Delete the oldest messages of a conversation with their reactions; return their number."""
    oldest = list(Message.objects.filter(conversation=id).order_by("position").values_list("pk", flat=True)[:BATCH])
    Reaction.objects.filter(message__in=oldest).delete()
    Attachment.objects.filter(message_id__in=oldest, gone_at=None).update(gone_at=timezone.now())
    Message.objects.filter(pk__in=oldest).delete()
    return len(oldest)


def left_behind() -> list[UUID]:
    """Find deleted groups whose messages are still there, because their job was lost."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_BEHIND)
        return [id for (id,) in cursor.fetchall()]


def forget_reports() -> None:
    """Delete the content of old reports; that they were made, and their outcome, stays."""
    old = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    Report.objects.filter(resolved_at__lt=old).exclude(copy=None, comment=None).update(copy=None, comment=None)


def drop_old_departures() -> None:
    """Delete departures that are so old that no device may ask for them any more."""
    Departure.objects.filter(at__lt=timezone.now() - DEPARTURES_KEPT).delete()
