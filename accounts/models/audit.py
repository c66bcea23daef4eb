"""The audit log of the staff's actions."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts.models.users import User
from chatproject.core.ids import uuid7


class AuditEntry(models.Model):
    """An action of a staff member: who, what, its target, when, the IP address, the values before and after.

    A database trigger prevents that an entry is changed or deleted.
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
