"""Which messages someone may read."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, QuerySet
from django.utils import timezone

from conversations.models import Participant
from messaging.models import Message


def readable(place: Participant) -> QuerySet[Message]:
    """The messages that someone may read in a conversation: since they came, and younger than the retention.

    None, once they are out: they may go, and something be said, between the reading of their place and this.
    """
    still_in = Participant.objects.filter(pk=place.pk, left_at=None, visible_from=place.visible_from)
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return Message.objects.filter(
        Exists(still_in), conversation_id=place.conversation_id, position__gt=place.visible_from, created_at__gt=oldest
    )
