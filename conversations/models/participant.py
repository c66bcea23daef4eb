"""Participants of conversations, and departures from them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from conversations.models.conversation import Conversation


class Participant(models.Model):
    """A person in a conversation. The row stays when the person leaves, and is updated if they join again.

    The person sees the messages after the position `visible_from`. The watermarks `delivered_through` and
    `read_through` are positions, too. `joined_version`, `left_version` and `changed_version` are the versions of the
    conversation at which the person joined, left, and last changed in a way that other members see. `me_version` is
    the version of the person, and `changed_at` the time, at which their personal settings last changed.
    `barred` says that the person may not send messages here (see `conversations.permissions`). `draft` is the
    encrypted text of an unsent message. Someone who `was_removed` can come back only if an admin adds them.
    `reads` limits what a bot sees of the conversation; it is null for people.
    """

    class Role(models.TextChoices):
        ADMIN = "admin"
        MEMBER = "member"

    class Notify(models.TextChoices):
        ALL = "all"
        MENTIONS = "mentions"
        NONE = "none"

    class Reads(models.TextChoices):
        ALL = "all"
        ADDRESSED = "addressed"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="participations")
    role = models.CharField(max_length=6, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=timezone.now)
    joined_version = models.BigIntegerField(default=0, db_default=0)
    changed_version = models.BigIntegerField(default=0, db_default=0)
    left_at = models.DateTimeField(null=True, blank=True)
    left_version = models.BigIntegerField(null=True, blank=True)
    was_removed = models.BooleanField(default=False, db_default=False)
    visible_from = models.BigIntegerField(default=0)
    reads = models.CharField(max_length=9, choices=Reads, null=True, blank=True)  # noqa: DJ001 (null: not a bot)
    delivered_through = models.BigIntegerField(default=0)
    read_through = models.BigIntegerField(default=0)
    barred = models.BooleanField(default=False)
    notify = models.CharField(max_length=8, choices=Notify, default=Notify.ALL)
    muted_until = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False)
    archived = models.BooleanField(default=False)
    draft = models.BinaryField(null=True, blank=True)
    me_version = models.BigIntegerField(default=0, db_default=0)
    changed_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_place_each", fields=["conversation", "user"]),
            models.CheckConstraint(
                name="left_together",
                condition=Q(left_at__isnull=True, left_version__isnull=True)
                | Q(left_at__isnull=False, left_version__isnull=False),
            ),
            models.CheckConstraint(
                name="read_implies_delivered", condition=Q(read_through__lte=F("delivered_through"))
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "conversation"], name="present", condition=Q(left_at__isnull=True)),
            models.Index(fields=["conversation", "changed_version"], name="places_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


class Departure(models.Model):
    """A record that someone is no longer in a conversation, for devices that were offline; joining again deletes it.

    The conversation itself may be deleted, so this is its id and not a foreign key.
    """

    class Reason(models.TextChoices):
        LEFT = "left"
        REMOVED = "removed"
        DELETED = "deleted"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="departures", db_index=False)
    conversation_id = models.UUIDField()
    reason = models.CharField(max_length=7, choices=Reason)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="a_departure_once", fields=["user", "conversation_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.reason} {self.conversation_id}"
