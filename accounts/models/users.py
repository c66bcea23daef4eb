"""User accounts, with their names and passwords."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.hashers import normal_password
from accounts.usernames import fold_username
from chatproject.core.ids import uuid7
from chatproject.core.text import fold

username_validators: list[Callable[[Any], None]] = [
    RegexValidator(r"\A[a-z0-9_.-]+\Z", "Use the letters a to z, digits, and _ . - only."),
    # In "@name." nobody could tell whether the full stop belongs to the name. Older usernames may still end so.
    RegexValidator(r"[a-z0-9]\Z", "End with a letter or a digit."),
    MinLengthValidator(3),
    MaxLengthValidator(30),
]
SERVICE_ID = UUID("00000000-0000-7000-8000-000000000001")
"""The id of the service account: see `accounts/staff/service_account.py`."""
DELETED_ACCOUNT = "Deleted account"
"""The name that is shown for a closed account."""


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user. The username is folded to lower case; without a password nobody can sign in with one."""
        user = self.model(username=username.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Create a superuser, who may do everything in the admin."""
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=fold_username(username or ""))


class FoldedNameField(models.TextField):  # type: ignore[type-arg]
    """The display name folded for the search, see `fold`. It is computed again at every save."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold(model_instance.display_name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, folded)
        return folded


class User(AbstractBaseUser, PermissionsMixin):
    """A person or a bot. The row of a closed account stays, without any personal data."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=30, unique=True, validators=username_validators)
    display_name = models.CharField(max_length=80, blank=True)
    folded_name = FoldedNameField(default="", db_default="", editable=False)
    email = models.EmailField(blank=True)
    about = models.CharField(max_length=500, blank=True)
    avatar_id = models.UUIDField(null=True, blank=True, editable=False)
    """The attachment with their picture."""
    wallet_address = models.CharField(max_length=42, unique=True, null=True, blank=True)
    has_given_name = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether the server generated the username: the person may choose another one, once."""
    settings = models.JSONField(default=dict, blank=True)
    is_bot = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    suspension_reason = models.CharField(max_length=500, blank=True, db_default="", default="", editable=False)
    version = models.BigIntegerField(default=0, editable=False)
    contacts_changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    outdated_password: str | None = None
    """The password that has just been checked and was right, if it is not yet stored in its normal form."""

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name, verbose_name_plural = "person", "people"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="a_wallet_is_an_address", condition=Q(wallet_address__regex=r"^0x[0-9a-fA-F]{40}$")
            )
        ]

    def __str__(self) -> str:
        return self.username

    @property
    def name(self) -> str:
        """The name that others see."""
        return DELETED_ACCOUNT if self.closed_at else self.display_name or self.username

    def set_password(self, raw_password: str | None) -> None:
        """Hash a password in its normal form, so that every keyboard can enter it.

        For an unknown username, Django hashes a password instead of checking one. So that both take the same time, a
        password that is not in its normal form is hashed twice, as `check_password` checks it twice.
        """
        normal = None if raw_password is None else normal_password(raw_password)
        if normal != raw_password:
            make_password(raw_password)
        super().set_password(normal)

    def check_password(self, raw_password: str | None) -> bool:
        """Check a password in its normal form; also accept one that was stored as it was written."""
        normal = None if raw_password is None else normal_password(raw_password)
        if super().check_password(normal):
            return True
        if normal == raw_password or not super().check_password(raw_password):
            return False
        self.outdated_password = raw_password
        return True
