"""What is not kept: what was said in groups that are no more, and old news of who is out of what."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from conversations.models import Conversation, Departure
from messaging.models import Attachment, Message, MessageStatus, Reaction, Report

PIECE = 2000
"""How many messages go at a time, so that nothing waits for long."""
DEPARTURES_KEPT = timedelta(days=30)

# Each group is looked up by the index of its history: a plain EXISTS might read all messages that there are.
LEFT_BEHIND = """
SELECT d.conversation_id
FROM (SELECT DISTINCT conversation_id FROM conversations_departure WHERE reason = 'deleted') d
CROSS JOIN LATERAL (SELECT 1 FROM messaging_message m WHERE m.conversation_id = d.conversation_id LIMIT 1) said
"""


def forget_conversation(id: UUID) -> int:
    """Remove what was said in a group that is no more, and tell how much it was; it may be done again.

    Nobody can read it before: every reading asks for a place in the conversation.
    """
    if Conversation.objects.filter(pk=id).exists():
        return 0
    MessageStatus.objects.filter(conversation=id).delete()
    Attachment.objects.filter(conversation_id=id, use="avatar", gone_at=None).update(gone_at=timezone.now())
    gone = 0
    while piece := _forget_some(id):
        gone += piece
    return gone


@transaction.atomic
def _forget_some(id: UUID) -> int:
    """Remove the oldest messages of a conversation with their reactions; tell how many."""
    some = list(Message.objects.filter(conversation=id).order_by("position").values_list("pk", flat=True)[:PIECE])
    Reaction.objects.filter(message__in=some).delete()
    Attachment.objects.filter(message_id__in=some, gone_at=None).update(gone_at=timezone.now())
    Message.objects.filter(pk__in=some).delete()
    return len(some)


def left_behind() -> list[UUID]:
    """Find groups that were deleted and whose messages are still there, because their job was lost."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_BEHIND)
        return [id for (id,) in cursor.fetchall()]


def forget_reports() -> None:
    """Keep of old reports that they were made and what came of them, and not what was said."""
    old = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    Report.objects.filter(resolved_at__lt=old).exclude(copy=None, comment=None).update(copy=None, comment=None)


def drop_old_departures() -> None:
    """Forget who has gone from where, when no device may ask for it any more."""
    Departure.objects.filter(at__lt=timezone.now() - DEPARTURES_KEPT).delete()
