"""Which messages someone may read."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, QuerySet
from django.utils import timezone

from conversations.models import Participant
from messaging.models import Message


def readable(participant: Participant) -> QuerySet[Message]:
    """The messages that a participant may read: those since they joined that are younger than the retention.

    There are none once they have left: that is checked by the query itself, because they may leave, and others write,
    after their participant was read.
    """
    still_in = Participant.objects.filter(pk=participant.pk, left_at=None, visible_from=participant.visible_from)
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return Message.objects.filter(
        Exists(still_in),
        conversation_id=participant.conversation_id,
        position__gt=participant.visible_from,
        created_at__gt=oldest,
    )
