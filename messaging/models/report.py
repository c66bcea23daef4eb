"""Reports of messages and people to the staff."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from chatproject.core.ids import uuid7


class Report(models.Model):
    """Someone asks the staff to look at a message or a person.

    The message's content at that time and the reporter's comment are stored encrypted. A report gives the staff access
    to nothing else of the conversation.
    """

    class Reason(models.TextChoices):
        SPAM = "spam", "Spam or fraud"
        HARASSMENT = "harassment", "Harassment or threats"
        HATE = "hate", "Hate"
        SEXUAL = "sexual", "Unwanted sexual content"
        VIOLENCE = "violence", "Violence or self-harm"
        ILLEGAL = "illegal", "Something illegal"
        OTHER = "other", "Something else"

    class Outcome(models.TextChoices):
        DELETED = "deleted", "The message was deleted"
        WARNED = "warned", "The person was warned"
        SUSPENDED = "suspended", "The person was suspended"
        DISMISSED = "dismissed", "Nothing was done"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reporter = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reports")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    conversation_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=12, choices=Reason)
    comment = models.BinaryField(null=True)
    copy = models.BinaryField(null=True)
    said_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="an_open_report_once",
                fields=["reporter", "person", "message_id"],
                condition=Q(resolved_at=None),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="a_resolution_is_whole",
                condition=Q(resolved_at=None, resolved_by=None, outcome="")
                | Q(resolved_at__isnull=False, resolved_by__isnull=False) & ~Q(outcome=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["person", "message_id"], name="reported_open", condition=Q(resolved_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, reported on {self.created_at:%d %B %Y}"
