"""What people say."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.models import Conversation


class Message(models.Model):
    """One thing said. Its id is minted by whoever composes it, so that a retry is the same row.

    `position` is the conversation's version at which it appeared, `version` the one at which it last changed.
    The table is partitioned by the week of its id. Its keys carry no database constraint: the append takes
    both ends from rows it has locked, and a constraint would forbid detaching an old week.
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
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # History reads it by position; unread counts read nothing else.
            models.Index(fields=["conversation", "position"], name="history", include=["sender", "kind", "deleted_at"]),
            # What changed after version N, apart from what is simply new; a plain append never touches it.
            models.Index(fields=["conversation", "version"], name="changed", condition=Q(version__gt=F("position"))),
            # Who is meant by name, so that nobody's mentions are looked for among all that is unread.
            models.Index(fields=["conversation", "position"], name="mentioning", condition=Q(mentions__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class MessageStatus(models.Model):
    """Someone had the messages after one position, up to another, delivered, or read them, at this time.

    One row tells it of as many messages as they are. Its id is minted by the server, and the table is partitioned by
    the week of it. What the others may not know is not kept: reading by those who do not let it be seen, and anything
    between two of whom one has blocked the other.
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
            # When someone had the message at a position: the first run of theirs that reaches it.
            models.Index(fields=["conversation", "user", "what", "through"], name="reached", include=["after", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.what} {self.after}..{self.through}"


class Reaction(models.Model):
    """One person's emoji on one message. Partitioned by the week of the message's id, and forgotten with it."""

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


class Blob(models.Model):
    """The bytes of a picture, film, sound or file in the storage: once, however often they are sent on.

    `key` names the object, the picture of it lies beside; no upload was ever allowed to write there.
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
    """One use of bytes: what a person uploads, or sends on, for one message. Its rows are the only way to an object."""

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
    """Where it stands among those of its message."""
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    filename = models.BinaryField()
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    upload_key = models.CharField(max_length=64, blank=True)
    """Where the upload may be written; empty once it was taken from there, and for what is sent on."""
    key = models.CharField(max_length=64, blank=True)
    """Where it is taken to."""
    use = models.CharField(max_length=6, blank=True, default="", db_default="")
    """`avatar` for the picture of its owner, or of the group whose id stands there."""
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="attachments")
    created_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True)
    """When the upload was said to be complete."""
    turn = models.IntegerField(null=True)
    """Its turn to be looked at, while it waits for that; see `messaging/media/processing_queue.py`."""
    due_at = models.DateTimeField(null=True)
    """When someone may begin to look at it: of one that is being looked at, when whoever does must have died."""
    gone_at = models.DateTimeField(null=True)
    """When the message was deleted."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["message_id", "place"], name="of_message", condition=Q(message_id__isnull=False)),
            models.Index(fields=["owner", "created_at"], name="uploads_of"),
            # What is waiting for something: few at any time.
            models.Index(fields=["created_at"], name="unsent", condition=Q(message_id=None)),
            models.Index(fields=["gone_at"], name="gone", condition=Q(gone_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.content_type}, {self.get_state_display().lower()}"


class Report(models.Model):
    """Someone finds that the staff should look at a message or a person.

    What was said, as it was then, and the words of the reporter are sealed; nobody of the staff reads anything else
    of the conversation by it.
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
