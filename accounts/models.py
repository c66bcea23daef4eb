"""People, and the sessions they are signed in with."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models
from django.utils import timezone

from accounts.ids import uuid7

username_validators: list[Callable[[Any], None]] = [
    RegexValidator(r"\A[a-z0-9_.-]+\Z", "Use the letters a to z, digits, and _ . - only."),
    MinLengthValidator(3),
    MaxLengthValidator(30),
]


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person; a name is folded to lower case, a missing password lets nobody in."""
        user = self.model(username=username.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Make someone who may do everything in the admin."""
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a bot, who can sign in and talk."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=30, unique=True, validators=username_validators)
    display_name = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    about = models.CharField(max_length=500, blank=True)
    wallet_address = models.CharField(max_length=42, unique=True, null=True, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    is_bot = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    version = models.BigIntegerField(default=0, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.username

    @property
    def name(self) -> str:
        """What others see."""
        return self.display_name or self.username


class Session(models.Model):
    """One signed-in device. Cookies and tokens carry its id; ending it ends them all.

    `refresh_id` names the newest pair of tokens, `previous_refresh_id` the pair before it. Until the newest
    pair has been seen in use, the previous refresh token still leads to it: a lost answer costs nobody a session.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    name = models.CharField(max_length=200, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    refresh_id = models.UUIDField(null=True, blank=True)
    previous_refresh_id = models.UUIDField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    refresh_used = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user"], name="session_live", condition=models.Q(ended_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.name or 'a device'} of {self.user_id}"

    @property
    def is_live(self) -> bool:
        return self.ended_at is None
