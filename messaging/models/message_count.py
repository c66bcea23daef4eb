"""Counts of messages for the staff."""

from django.db import models


class MessageCount(models.Model):
    """How many messages, notices included, were stored in one hour; kept by a follower of the change log.

    Deleted messages stay counted, also when their conversation or their week is gone.
    """

    hour = models.DateTimeField(primary_key=True)
    messages = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.messages} from {self.hour} on"
