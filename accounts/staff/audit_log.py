"""Who acts for the place, and the log of what they did."""

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


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of the staff who acts, and from where: what the staff may do, only one of these can."""

    user: User
    ip: str | None = None

    @classmethod
    def of(cls, user: User, ip: str | None = None) -> Self:
        """NotAllowed unless someone is of the staff, and protected by a second factor where that is required."""
        if not user.is_staff:
            raise NotAllowed("This is for the staff alone.")
        if settings.STAFF_SECOND_FACTOR and not needs_code(user):
            raise NotAllowed("Set up a second factor first, in your settings: the staff needs one here.")
        return cls(user, ip)

    def require_over(self, user: User) -> None:
        """NotAllowed unless they may act on someone: not on themselves, and on others of the staff only as its head."""
        if user.pk == self.user.pk:
            raise NotAllowed("Nobody does this to themselves.")
        if user.pk == SERVICE_ID:
            raise NotAllowed("This account is the place itself.")
        if (user.is_staff or user.is_superuser) and not self.user.is_superuser:
            raise NotAllowed("Only a superuser acts on members of the staff.")

    def require_head(self) -> None:
        """NotAllowed unless they decide who is of the staff."""
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
    """Write into the audit log what a member of the staff does, in the transaction in which it is done."""
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


def record_look(*, by: Staff, action: AuditEntry.Action, within: timedelta) -> None:
    """Write into the audit log that someone looks at a page which looks again by itself: once in a while."""
    lately = AuditEntry.objects.filter(by=by.user, action=action, at__gt=timezone.now() - within)
    if not lately.exists():
        record(by=by, action=action)
