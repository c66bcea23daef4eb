"""The staff members who act on the server, and the audit log of their actions."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.auth.second_factor import needs_code
from accounts.models import SERVICE_ID, AuditEntry, User
from chatproject.core.errors import NotAllowed

Action = AuditEntry.Action
VIEWS_RECORDED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff member who acts, with their IP address. The commands of the staff accept nobody else."""

    user: User
    ip: str | None = None

    @classmethod
    def of(cls, user: User, ip: str | None = None) -> Self:
        """Raise NotAllowed unless the user is a staff member, with a second factor where the server requires one."""
        if not user.is_staff:
            raise NotAllowed("This is for the staff alone.")
        if settings.STAFF_SECOND_FACTOR and not needs_code(user):
            raise NotAllowed("Set up a second factor first, in your settings: the staff needs one here.")
        return cls(user, ip)

    def require_authority_over(self, user: User) -> None:
        """Raise NotAllowed if they may not act on a user: nobody acts on themselves, only superusers on other staff."""
        if user.pk == self.user.pk:
            raise NotAllowed("Nobody does this to themselves.")
        if user.pk == SERVICE_ID:
            raise NotAllowed("This account is the place itself.")
        if (user.is_staff or user.is_superuser) and not self.user.is_superuser:
            raise NotAllowed("Only a superuser acts on members of the staff.")

    def require_superuser(self) -> None:
        """Raise NotAllowed unless they are a superuser, who decides who is a staff member."""
        if not self.user.is_superuser:
            raise NotAllowed("Only a superuser decides who is of the staff.")


def record(
    *,
    by: Staff,
    action: AuditEntry.Action,
    kind: str = "",
    id: UUID | None = None,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Add an entry to the audit log, in the transaction of the action that it records."""
    AuditEntry.objects.create(
        by=by.user,
        ip=by.ip,
        action=action,
        target_kind=kind,
        target_id=id,
        reason=reason,
        before=before or {},
        after=after or {},
    )


def record_view(*, by: Staff, action: AuditEntry.Action) -> None:
    """Record that a staff member views a page that reloads itself: at most once in `VIEWS_RECORDED_EVERY`."""
    recent = AuditEntry.objects.filter(by=by.user, action=action, at__gt=timezone.now() - VIEWS_RECORDED_EVERY)
    if not recent.exists():
        record(by=by, action=action)
