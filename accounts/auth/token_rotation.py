"""Rotation of refresh tokens: each is exchanged once for the next pair, and a stolen copy ends the session."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.auth.sessions import SessionEnded, end_session
from accounts.models import Session
from chatproject.core.errors import Suspended
from chatproject.core.ids import uuid7

REPEAT_WITHIN = timedelta(seconds=60)
"""How long a refresh token still returns the pair that it was exchanged for."""


@transaction.atomic
def start_tokens(*, session: Session) -> Session:
    """Start the first pair of tokens of a session."""
    return _rotate(Session.objects.select_for_update().get(pk=session.pk), timezone.now())


def refresh_tokens(*, session_id: UUID, refresh_id: UUID) -> Session:
    """Exchange a refresh token for the next pair. Raises SessionEnded if it is invalid, Suspended if the person is.

    Until the newest pair has been used, and for a minute at most, the previous token returns the same pair again: two
    tabs may refresh at once, or a response may get lost. An older token, or the previous one after that time, can only
    be a stolen copy: the session ends.
    """
    with transaction.atomic():
        live = Session.objects.select_for_update(of=("self",)).filter(ended_at=None, user__is_active=True)
        session = live.select_related("user").filter(pk=session_id).first()
        if session is not None and session.user.suspended_at:
            raise Suspended.because(session.user.suspension_reason)
        if session is not None and refresh_id == session.refresh_id:
            return _rotate(session, timezone.now())
        if session is not None and refresh_id == session.previous_refresh_id and _may_repeat(session):
            return session
    if session is not None:
        end_session(session=session)
    raise SessionEnded


def _may_repeat(session: Session) -> bool:
    """Return whether the newest pair may be returned again: it is fresh and unused."""
    is_fresh = session.refreshed_at is not None and timezone.now() - session.refreshed_at <= REPEAT_WITHIN
    return is_fresh and not session.refresh_used


def _rotate(session: Session, now: datetime) -> Session:
    session.previous_refresh_id, session.refresh_id = session.refresh_id, uuid7()
    session.refreshed_at, session.last_seen_at, session.refresh_used = now, now, False
    session.save(update_fields=["previous_refresh_id", "refresh_id", "refreshed_at", "last_seen_at", "refresh_used"])
    return session
