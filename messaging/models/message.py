"""Messages and the reactions to them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.models import Conversation


class Message(models.Model):
    """A message. Its id is made by the client that composes it, so that a repeated send is the same row.

    `position` is the conversation's version at which it appeared, `version` the one at which it last changed.
    `addressed` are the bots that a message concerns, settled when it is said; null where it concerns none.
    The table is partitioned by the week of its id. Its foreign keys have no database constraint: the append takes
    both from rows that it has locked, and a constraint would make it impossible to detach an old week.
    """

    class Kind(models.TextChoices):
        TEXT = "text"
        IMAGE = "image"
        VIDEO = "video"
        AUDIO = "audio"
        FILE = "file"
        NOTICE = "notice"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="messages"
    )
    position = models.BigIntegerField()
    version = models.BigIntegerField()
    sender = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="messages"
    )
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.TEXT)
    body = models.BinaryField(null=True)
    fingerprint = models.BinaryField(null=True)
    reply_to_id = models.UUIDField(null=True)
    mentions = ArrayField(models.UUIDField(), null=True)
    addressed = ArrayField(models.UUIDField(), null=True)
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # For history, by position; unread counts read this index alone.
            models.Index(fields=["conversation", "position"], name="history", include=["sender", "kind", "deleted_at"]),
            # For what was changed after version N, new messages excluded; a plain append does not write to it.
            models.Index(fields=["conversation", "version"], name="changed", condition=Q(version__gt=F("position"))),
            # For messages with mentions, so that mentions are not searched for among all unread messages.
            models.Index(fields=["conversation", "position"], name="mentioning", condition=Q(mentions__isnull=False)),
            # For messages that concern a bot, so that its few are not searched for among all.
            models.Index(fields=["conversation", "position"], name="addressing", condition=Q(addressed__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Reaction(models.Model):
    """One person's emoji on one message. Partitioned by the week of the message's id, and dropped with that week."""

    pk = models.CompositePrimaryKey("message_id", "user_id", "emoji")
    message = models.ForeignKey(
        Message, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="reactions"
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    emoji = models.CharField(max_length=32)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.emoji} on {self.message_id}"
