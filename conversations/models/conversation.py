"""Conversations: one model for direct conversations and groups."""

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from chatproject.core.ids import uuid7

NAME_LENGTH = 100
DESCRIPTION_LENGTH = 500


def direct_key(one: UUID, other: UUID) -> str:
    """Return the unique key of the direct conversation of two people, which does not depend on their order."""
    low, high = sorted((one, other))
    return f"{low}:{high}"


class Conversation(models.Model):
    """A direct conversation of two people, or a group; the kind never changes.

    `version` counts every durable change without gaps, `epoch` counts every change of access, and `last_position` is
    the position of the newest message. These fields, `changed_at` and `active_at` are not indexed, so that PostgreSQL
    can update this often written row in place (HOT). Every change sets `changed_at`; what is said also sets
    `active_at`, by which lists are sorted, and `last_spoken`, its position: notices are not said (`messaging.said`).
    `details_version` is the version of the last change of name, description, picture, history or owner. Newcomers see
    the messages after `shared_from`, the position at which the history was shared. What lies at or below
    `min_position` has expired: nobody sees it.
    """

    class Kind(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"

    class History(models.TextChoices):
        JOINED = "joined"
        SHARED = "shared"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=6, choices=Kind, editable=False)
    direct_key = models.CharField(max_length=73, unique=True, null=True, blank=True, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    avatar_id = models.UUIDField(null=True, editable=False)
    """The attachment that is the picture of the group."""
    history = models.CharField(max_length=6, choices=History, default=History.JOINED)
    shared_from = models.BigIntegerField(null=True, blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_conversations"
    )
    version = models.BigIntegerField(default=0, editable=False)
    details_version = models.BigIntegerField(default=0, db_default=0, editable=False)
    epoch = models.BigIntegerField(default=0, editable=False)
    last_position = models.BigIntegerField(default=0, editable=False)
    last_spoken = models.BigIntegerField(default=0, db_default=0, editable=False)
    min_position = models.BigIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    active_at = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Participant", related_name="conversations")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="direct_has_a_pair_and_group_an_owner",
                condition=Q(kind="direct", direct_key__isnull=False, owner__isnull=True)
                | Q(kind="group", direct_key__isnull=True, owner__isnull=False),
            ),
            models.CheckConstraint(
                name="a_shared_history_begins_somewhere",
                condition=Q(history="joined", shared_from__isnull=True)
                | Q(history="shared", shared_from__isnull=False),
            ),
            models.CheckConstraint(
                name="positions_are_versions", condition=Q(last_position__gte=0, last_position__lte=F("version"))
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)
