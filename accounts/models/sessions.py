"""The sessions that people are signed in with."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.users import User
from chatproject.core.ids import uuid7


class Session(models.Model):
    """One signed-in device. Cookies and tokens carry its id; ending it ends them all.

    `device_digest` is the SHA-256 of the token by which the device is known when its person signs in again
    (`accounts.auth.attempts`); sessions that have ended keep it.

    `refresh_id` names the newest pair of tokens, `previous_refresh_id` the pair before it. Until the newest
    pair has been seen in use, the previous refresh token still leads to it for a minute: a lost answer costs nobody a
    session, and a copy in other hands cannot follow its owner unseen.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    name = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    """The language that its browser asked for last, of those that the server has."""
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    refresh_id = models.UUIDField(null=True, blank=True)
    previous_refresh_id = models.UUIDField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_used = models.BooleanField(default=False)
    device_digest = models.BinaryField(max_length=32, null=True, editable=False)

    device_token = ""
    """The token that a new device has to keep, where the session has just begun."""
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When its person last showed that it is them: see `accounts/auth/confirmation.py`."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user"], name="session_live", condition=models.Q(ended_at__isnull=True)),
            models.Index(
                fields=["device_digest"], name="session_device", condition=models.Q(device_digest__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'a device'} of {self.user_id}"
