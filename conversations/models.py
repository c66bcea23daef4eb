"""Who talks with whom: one model for two people and for a thousand."""

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from chatproject.core.ids import uuid7

NAME_LENGTH = 100
DESCRIPTION_LENGTH = 500


def direct_key(one: UUID, other: UUID) -> str:
    """Name the direct conversation of two people, whoever of them asks."""
    low, high = sorted((one, other))
    return f"{low}:{high}"


class Conversation(models.Model):
    """Two people (direct) or a group; its kind never changes.

    `version` counts every durable change without gaps, `epoch` every change of membership, `last_position` is the
    newest message's. They, `changed_at` and `active_at` stand in no index, so that the row written most is updated in
    place. Any change moves `changed_at`, a new message `active_at`, too: lists go by that.
    `details_version` is the version at which name, description, history or owner last changed. A newcomer sees what
    was said after `shared_from`, the position at which the history was shared.
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
    """The attachment that is a group's picture."""
    history = models.CharField(max_length=6, choices=History, default=History.JOINED)
    shared_from = models.BigIntegerField(null=True, blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_conversations"
    )
    version = models.BigIntegerField(default=0, editable=False)
    details_version = models.BigIntegerField(default=0, db_default=0, editable=False)
    epoch = models.BigIntegerField(default=0, editable=False)
    last_position = models.BigIntegerField(default=0, editable=False)
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


class Participant(models.Model):
    """A person's place in a conversation. The row stays when the person goes, so that coming back is an update.

    `visible_from` is the position after which messages may be seen; watermarks are positions too. `joined_version`,
    `left_version` and `changed_version` are the conversation's when the person came, went, and last changed for the
    others to see; `me_version` is the person's own, and `changed_at` the time, when what is theirs alone last changed.
    `draft` is what they have begun to write, sealed. Someone who `was_removed` comes back only when an admin adds them.
    """

    class Role(models.TextChoices):
        ADMIN = "admin"
        MEMBER = "member"

    class Notify(models.TextChoices):
        ALL = "all"
        MENTIONS = "mentions"
        NONE = "none"

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
    """The news that someone is out of a conversation, kept for devices that were away; coming back takes it away.

    The conversation may be gone: its id is all that stays of it.
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


class InviteLink(models.Model):
    """A way into a group for whoever has it. Its token is known by its SHA-256 alone."""

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
        return f"a way into {self.conversation_id}"
