"""Commands of the staff about people. Each one is recorded in the audit log; all may raise NotAllowed.

Closing an account affects conversations as well: it is in `messaging/moderation/commands.py`.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.auth.sessions import end_all_sessions
from accounts.changes import publish_user_change
from accounts.models import AuditEntry, User
from accounts.people.locks import lock_people
from accounts.staff.audit_log import Action, Staff, record
from chatproject.core.errors import NotAllowed
from chatproject.core.text import require_reason


@transaction.atomic
def suspend(*, by: Staff, user_id: UUID, reason: str) -> User:
    """Suspend a person until they are reinstated: calls are refused and sockets close, but their sessions stay."""
    reason = require_reason(reason)
    user = _locked(by, user_id)
    if user.suspended_at:
        return user
    return _change(by, user, Action.SUSPEND, reason, suspended_at=timezone.now(), suspension_reason=reason)


@transaction.atomic
def reinstate(*, by: Staff, user_id: UUID) -> User:
    """Lift the suspension of a person."""
    user = _locked(by, user_id)
    if not user.suspended_at:
        return user
    return _change(by, user, Action.REINSTATE, suspended_at=None, suspension_reason="")


@transaction.atomic
def end_sessions(*, by: Staff, user_id: UUID) -> User:
    """Sign a person out everywhere."""
    user = _locked(by, user_id)
    live = user.sessions.filter(ended_at=None).count()
    end_all_sessions(user=user)
    record(by=by, action=Action.END_SESSIONS, kind="person", id=user.pk, before={"sessions": live})
    return user


@transaction.atomic
def set_staff(*, by: Staff, user_id: UUID, is_staff: bool) -> User:
    """Make a person a staff member, or no longer one; only superusers may."""
    by.require_superuser()
    user = _locked(by, user_id)
    if user.is_bot:
        raise NotAllowed("A bot can't be a staff member.")
    if user.is_staff == is_staff:
        return user
    return _change(by, user, Action.MAKE_STAFF if is_staff else Action.UNMAKE_STAFF, is_staff=is_staff)


def _locked(by: Staff, user_id: UUID) -> User:
    """Lock and return a person that `by` may act on. Raises User.DoesNotExist for a closed account."""
    found = lock_people([user_id])
    if not found:
        raise User.DoesNotExist
    by.require_authority_over(found[0])
    return found[0]


def _change(by: Staff, user: User, action: AuditEntry.Action, reason: str = "", **fields: Any) -> User:
    before = {name: getattr(user, name) for name in fields}
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
    record(by=by, action=action, kind="person", id=user.pk, reason=reason, before=before, after=fields)
    publish_user_change(people=[user.pk])
    return user
