"""Invitation links of groups."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.models.conversation import Conversation


class InviteLink(models.Model):
    """An invitation link of a group: anyone who has its token can join. Only the SHA-256 of the token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="invite_links")
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "invitation link"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="no_more_uses_than_allowed", condition=Q(max_uses__isnull=True) | Q(uses__lte=F("max_uses"))
            ),
        ]

    def __str__(self) -> str:
        return f"invitation link of {self.conversation_id}"
