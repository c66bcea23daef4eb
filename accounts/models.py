"""People, the sessions they are signed in with, and what they are to each other."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import PermissionsMixin
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.hashers import normal_password
from accounts.usernames import fold_username
from chatproject.core.ids import uuid7
from chatproject.core.names import fold

username_validators: list[Callable[[Any], None]] = [
    RegexValidator(r"\A[a-z0-9_.-]+\Z", "Use the letters a to z, digits, and _ . - only."),
    # What ends in a sign can't be told from the end of a sentence. People who were called so before go on.
    RegexValidator(r"[a-z0-9]\Z", "End with a letter or a digit."),
    MinLengthValidator(3),
    MaxLengthValidator(30),
]
SERVICE_ID = UUID("00000000-0000-7000-8000-000000000001")
"""Who speaks for the place itself: see `accounts/staff/service_account.py`."""
DELETED_ACCOUNT = "Deleted account"
"""What stands where the name of someone stood who has closed the account."""


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
        return self.get(username=fold_username(username or ""))


class FoldedNameField(models.TextField):  # type: ignore[type-arg]
    """The display name as it is searched: see `fold`. It is made anew whenever it is saved."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = fold(model_instance.display_name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, folded)
        return folded


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a bot, who can sign in and talk. The row of a closed account stays, and says nothing of anyone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=30, unique=True, validators=username_validators)
    display_name = models.CharField(max_length=80, blank=True)
    folded_name = FoldedNameField(default="", db_default="", editable=False)
    email = models.EmailField(blank=True)
    about = models.CharField(max_length=500, blank=True)
    avatar_id = models.UUIDField(null=True, blank=True, editable=False)
    """The attachment that is their picture."""
    wallet_address = models.CharField(max_length=42, unique=True, null=True, blank=True)
    has_given_name = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether the username is one that the server made up: its person may choose another, once."""
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
    """The password that was just found right, where it is stored in another form than its normal one."""

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
        """What others see."""
        return DELETED_ACCOUNT if self.closed_at else self.display_name or self.username

    def set_password(self, raw_password: str | None) -> None:
        """Keep a password in its normal form, so that every keyboard may write it.

        For a name that is unknown, Django sets the password of nobody in place of a check: both take as long.
        """
        normal = None if raw_password is None else normal_password(raw_password)
        if normal != raw_password:
            make_password(raw_password)
        super().set_password(normal)

    def check_password(self, raw_password: str | None) -> bool:
        """Compare a password in its normal form; one that is stored as it was written is right too."""
        normal = None if raw_password is None else normal_password(raw_password)
        if super().check_password(normal):
            return True
        if normal == raw_password or not super().check_password(raw_password):
            return False
        self.outdated_password = raw_password
        return True


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


class Contact(models.Model):
    """One of two rows that make two people contacts of each other."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contacts", db_index=False)
    other = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="a_contact_once", fields=["user", "other"]),
            models.CheckConstraint(name="a_contact_is_someone_else", condition=~Q(user=F("other"))),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} knows {self.other_id}"


class ContactInvitation(models.Model):
    """Someone would like to be someone's contact. It is open until it is answered.

    `hidden` ones went to someone who had blocked the sender: they never arrive, and the sender is not told.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sender = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations_sent")
    receiver = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations_received")
    created_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(null=True, blank=True)
    hidden = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="an_open_invitation_once", fields=["sender", "receiver"], condition=Q(answered_at__isnull=True)
            ),
            models.CheckConstraint(name="an_invitation_goes_to_someone_else", condition=~Q(sender=F("receiver"))),
            models.CheckConstraint(
                name="an_answer_has_its_time",
                condition=Q(answered_at__isnull=True, accepted__isnull=True)
                | Q(answered_at__isnull=False, accepted__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender_id} invites {self.receiver_id}"


class AuditEntry(models.Model):
    """Something a member of the staff has done: who, what, to whom or what, when, from where, before and after.

    A trigger of the database lets nobody change or delete one.
    """

    class Action(models.TextChoices):
        SUSPEND = "suspend", "suspended"
        REINSTATE = "reinstate", "lifted the suspension of"
        END_SESSIONS = "end_sessions", "ended the sessions of"
        MAKE_STAFF = "make_staff", "made a member of the staff"
        UNMAKE_STAFF = "unmake_staff", "took from the staff"
        CLOSE_ACCOUNT = "close_account", "closed the account of"
        DISCONNECT = "disconnect", "disconnected"
        SEE_OVERVIEW = "see_overview", "looked how the place is"
        SEE_CONNECTED = "see_connected", "looked who is connected"
        SEE_PRESENT = "see_present", "looked who has open"
        ANNOUNCE = "announce", "announced something to"
        READ_CONVERSATION = "read_conversation", "read the messages of"
        DELETE_MESSAGE = "delete_message", "deleted a message in"
        REVOKE_LINK = "revoke_link", "revoked an invitation link of"
        WARN = "warn", "warned"
        RESOLVE_REPORT = "resolve_report", "resolved a report about"
        QUARANTINE = "quarantine", "put into quarantine a file of"
        RELEASE = "release", "took out of quarantine a file of"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ip = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=20, choices=Action)
    target_kind = models.CharField(max_length=20, blank=True)
    target_id = models.UUIDField(null=True, db_index=True)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name, verbose_name_plural = "audit entry", "audit log"

    def __str__(self) -> str:
        return f"{self.by_id} {self.get_action_display()} {self.target_id or 'everyone'}"


class Block(models.Model):
    """Someone wants nothing to do with someone else, who is not told."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    blocked = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="a_block_once", fields=["user", "blocked"]),
            models.CheckConstraint(name="a_block_is_of_someone_else", condition=~Q(user=F("blocked"))),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} blocks {self.blocked_id}"
