"""The keys by which texts are encrypted, and the server processes that know them; `chatproject.keys` changes both."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

ID_LENGTH = 8


class EncryptionKey(models.Model):
    """A key that was in some server's CHAT_KEYS: its id, never the key itself."""

    class State(models.TextChoices):
        KNOWN = "known"
        CURRENT = "current"
        RETIRED = "retired"

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, editable=False)
    """The four bytes that name the key in sealed values, as hexadecimal digits."""
    state = models.CharField(max_length=7, choices=State)
    known_since = models.DateTimeField(db_default=Now())
    current_since = models.DateTimeField(null=True)
    retired_since = models.DateTimeField(null=True)
    fingerprint_subkey = models.BinaryField(null=True)
    """The subkey of fingerprints from before digests were sealed with messages, itself sealed with the current key."""
    forget_subkey_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="one_current_key", fields=["state"], condition=Q(state="current"))
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class ServerReport(models.Model):
    """What a running server process has last reported: which keys it knows."""

    server = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=16)
    key_ids = ArrayField(models.CharField(max_length=ID_LENGTH))
    since = models.DateTimeField()
    """Since when it has reported without a gap."""
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.server}"
