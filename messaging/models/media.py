"""Media: stored files, and each use of one as an attachment or as a picture of a person or group."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from chatproject.core.ids import uuid7


class Blob(models.Model):
    """The bytes of an image, video, audio or other file in the storage: stored once, however often it is forwarded.

    `key` names the object; its thumbnail is stored beside it. No upload is ever allowed to write to that key.
    """

    class Kind(models.TextChoices):
        IMAGE = "image"
        VIDEO = "video"
        AUDIO = "audio"
        FILE = "file"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=5, choices=Kind)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    width = models.IntegerField(null=True)
    height = models.IntegerField(null=True)
    duration = models.FloatField(null=True)
    blurhash = models.CharField(max_length=64, blank=True)
    waveform = ArrayField(models.SmallIntegerField(), default=list)
    has_thumbnail = models.BooleanField(default=False)
    quarantined_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.content_type}, {self.size} bytes"


class Attachment(models.Model):
    """One use of a stored file: uploaded or forwarded by a person, for one message. Every access to an object goes
    through a row of this table.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        READY = "ready"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="attachments")
    message_id = models.UUIDField(null=True)
    conversation_id = models.UUIDField(null=True)
    place = models.SmallIntegerField(default=0)
    """Its place in the order of its message's attachments."""
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    filename = models.BinaryField()
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    upload_key = models.CharField(max_length=64, blank=True)
    """The storage key that the upload may be written to; empty once it was copied from there, and for forwards."""
    key = models.CharField(max_length=64, blank=True)
    """The storage key that it is copied to for processing."""
    use = models.CharField(max_length=6, blank=True, default="", db_default="")
    """`avatar` for the picture of its owner, or of the group in `conversation_id`."""
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="attachments")
    created_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True)
    """When the client said that the upload is complete."""
    turn = models.IntegerField(null=True)
    """Its place in the queue while it waits to be processed; see `messaging/media/processing_queue.py`."""
    due_at = models.DateTimeField(null=True)
    """When a worker may begin to process it. While it is being processed: when that worker must have died."""
    gone_at = models.DateTimeField(null=True)
    """When the message was deleted."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["message_id", "place"], name="of_message", condition=Q(message_id__isnull=False)),
            models.Index(fields=["owner", "created_at"], name="uploads_of"),
            # For attachments without a message yet: few at any time.
            models.Index(fields=["created_at"], name="unsent", condition=Q(message_id=None)),
            models.Index(fields=["gone_at"], name="gone", condition=Q(gone_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.content_type}, {self.get_state_display().lower()}"
