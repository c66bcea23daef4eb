"""The sessions that people are signed in with."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.users import User
from chatproject.core.ids import uuid7


class Session(models.Model):
    """One signed-in device. Cookies and tokens carry its id; ending it ends them all.

    `device_digest` is the SHA-256 of the token by which the device is recognised when its person signs in again
    (`accounts.auth.known_devices`); sessions that have ended keep it.

    `refresh_id` is the id of the newest pair of tokens, `previous_refresh_id` that of the pair before it. Until the
    newest pair has been used, the previous refresh token still returns it, for a minute: so a lost response ends no
    session, and the use of a stolen copy is noticed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    name = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    """The language that its browser asked for last, among those that the server has."""
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    refresh_id = models.UUIDField(null=True, blank=True)
    previous_refresh_id = models.UUIDField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_used = models.BooleanField(default=False)
    device_digest = models.BinaryField(max_length=32, null=True, editable=False)

    device_token = ""
    """The token that a new device has to store; only set on a session that has just started."""
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When its person last confirmed their identity: see `accounts/auth/confirmation.py`."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user"], name="session_live", condition=models.Q(ended_at__isnull=True)),
            models.Index(
                fields=["device_digest"], name="session_device", condition=models.Q(device_digest__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'a device'} of {self.user_id}"
