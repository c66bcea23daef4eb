"""Receipts: when which messages were delivered to someone, and when they read them."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.models import Conversation


class MessageStatus(models.Model):
    """At this time the messages after one position, up to another, were delivered to someone, or read by them.

    One row stands for all messages in that range. Its id is made by the server, and the table is partitioned by the
    week of it. What the others may not know is not stored: reading by people who hide it, and anything between two
    people of whom one has blocked the other.
    """

    class What(models.TextChoices):
        DELIVERED = "delivered"
        READ = "read"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    what = models.CharField(max_length=9, choices=What)
    after = models.BigIntegerField()
    through = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "message statuses"
        indexes: ClassVar = [
            # For when someone received or read the message at a position: the first of their rows that reaches it.
            models.Index(fields=["conversation", "user", "what", "through"], name="reached", include=["after", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.what} {self.after}..{self.through}"
