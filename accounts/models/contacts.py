"""Contacts, invitations and blocks between people."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.users import User
from chatproject.core.ids import uuid7


class Contact(models.Model):
    """One of two rows that make two people contacts of each other."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contacts", db_index=False)
    other = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="a_contact_once", fields=["user", "other"]),
            models.CheckConstraint(name="a_contact_is_someone_else", condition=~Q(user=F("other"))),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} knows {self.other_id}"


class ContactInvitation(models.Model):
    """An invitation to be contacts. It is open until it is answered.

    A `hidden` one was sent to someone who has blocked the sender: they never see it, and the sender does not learn it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sender = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations_sent")
    receiver = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations_received")
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(null=True, blank=True)
    hidden = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="an_open_invitation_once", fields=["sender", "receiver"], condition=Q(answered_at__isnull=True)
            ),
            models.CheckConstraint(name="an_invitation_goes_to_someone_else", condition=~Q(sender=F("receiver"))),
            models.CheckConstraint(
                name="an_answer_has_its_time",
                condition=Q(answered_at__isnull=True, accepted__isnull=True)
                | Q(answered_at__isnull=False, accepted__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} invites {self.receiver_id}"


class Block(models.Model):
    """`user` has blocked `blocked`, who does not learn it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    blocked = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="a_block_once", fields=["user", "blocked"]),
            models.CheckConstraint(name="a_block_is_of_someone_else", condition=~Q(user=F("blocked"))),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} blocks {self.blocked_id}"
