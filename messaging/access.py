"""Which messages someone may read."""

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import Participant
from messaging.models import Message


def readable(place: Participant) -> QuerySet[Message]:
    """The messages that someone may read in a conversation: since they came, and younger than the retention."""
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    return Message.objects.filter(
        conversation_id=place.conversation_id, position__gt=place.visible_from, created_at__gt=oldest
    )
