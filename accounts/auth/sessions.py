"""Sessions: each sign-in starts one; a sign-out, another device of the person or the staff ends it."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password as is_password
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.auth.known_devices import Devices, digest_of, forget_devices, known_device, new_token
from accounts.auth.passwords import hashing_turn, renew_password
from accounts.changes import publish_user_change
from accounts.models import Session, User
from accounts.people.locks import lock_people
from chatproject.core.errors import NotAllowed, Suspended
from chatproject.exposure import DEMO_PASSWORD, DEMO_PEOPLE, is_local

LAST_SEEN_EXACT_TO = timedelta(minutes=1)


# Rows that another transaction has locked are skipped, so that this never waits.
RECORD_PRESENCE = """
WITH s AS MATERIALIZED (SELECT id FROM accounts_session WHERE id = ANY(%(sessions)s) FOR NO KEY UPDATE SKIP LOCKED)
UPDATE accounts_session SET last_seen_at = clock_timestamp() FROM s WHERE accounts_session.id = s.id
"""
# `live_session` and `record_use` in SQL: the session is live, its person not suspended, and nothing is to be recorded
# for the pair of tokens that was used.
IS_IN_USE = f"""s.ended_at IS NULL AND u.is_active AND u.suspended_at IS NULL
    AND s.last_seen_at > clock_timestamp() - interval '{LAST_SEEN_EXACT_TO.total_seconds()} seconds'
    AND (s.refresh_id IS DISTINCT FROM %(pair)s OR s.refresh_used)"""


class SessionEnded(Exception):
    """The session has ended: its person has to sign in again."""


def start_session(
    *, user: User, name: str = "", ip: str | None = None, language: str = "", devices: Devices = ()
) -> Session:
    """Start a session on a device that has just signed in. Raises Suspended for a suspended person.

    Raises NotAllowed for the demo's people at another machine's address, because everyone knows their password;
    SessionEnded if the password was changed or the account closed since the password was checked. The device is known
    from now on: by one of the tokens that it sent, or by a new one, `device_token`.
    """
    if user.suspended_at:
        raise Suspended.because(user.suspension_reason)
    if ip and not is_local(ip) and _is_demo_user(user):
        raise NotAllowed("The demo's people can sign in only on the machine that the server runs on.")
    if user.outdated_password:
        renew_password(user, user.outdated_password)
    known = known_device(username=user.username, devices=devices)
    token = "" if known else new_token()
    session = Session(user=user, name=name[:200], ip=ip, language=language, device_digest=known or digest_of(token))
    session.device_token = token
    with transaction.atomic():
        _require_unchanged(user)
        session.save(force_insert=True)
    return session


def _is_demo_user(user: User) -> bool:
    """Return whether a user is one of the demo's people and still has the password that everyone knows."""
    if user.username not in DEMO_PEOPLE:
        return False
    with hashing_turn():
        return bool(is_password(DEMO_PASSWORD, user.password))


def _require_unchanged(user: User) -> None:
    """Raise SessionEnded if the person's password has changed since it was checked.

    A new password ends every session; no session may start with the former password after that.
    """
    if not any(locked.password == user.password for locked in lock_people([user.pk])):
        raise SessionEnded


def active_sessions(user: User) -> QuerySet[Session]:
    """Return the sessions of someone that have not ended, the last used first."""
    return user.sessions.filter(ended_at=None).order_by("-last_seen_at", "-pk")


def sign_out(*, session: Session) -> None:
    """End a session at the request of its person; its device stays known."""
    _end(session.user_id, Session.objects.filter(pk=session.pk))


def end_session(*, session: Session) -> None:
    """End a session: its cookie and tokens become invalid, and its sockets close.

    Its device may be stolen, so it becomes unknown.
    """
    sessions = Session.objects.filter(user=session.user_id)
    with transaction.atomic():
        _end(session.user_id, sessions.filter(pk=session.pk))
        forget_devices(sessions.filter(device_digest=session.device_digest))


def end_other_sessions(*, session: Session) -> int:
    """End every other session of a person and forget their other devices; return how many sessions ended."""
    others = Session.objects.filter(user=session.user_id).exclude(pk=session.pk)
    with transaction.atomic():
        ended = _end(session.user_id, others)
        forget_devices(others.exclude(device_digest=session.device_digest))
    return ended


@transaction.atomic
def end_all_sessions(*, user: User) -> None:
    """End every session of a person, and forget all of their devices."""
    mine = Session.objects.filter(user=user)
    _end(user.pk, mine)
    forget_devices(mine)


@transaction.atomic
def _end(user_id: UUID, sessions: QuerySet[Session]) -> int:
    # Every command that changes a person's sessions locks the person first, so that no two of them deadlock.
    lock_people([user_id])
    ended = sessions.filter(ended_at=None).update(ended_at=timezone.now())
    if ended:
        publish_user_change(people=[user_id])
    return ended


def record_use(*, session: Session, refresh_id: UUID | None = None, language: str = "") -> None:
    """Record that a session is in use. If its newest tokens were used, older refresh tokens become invalid.

    The time is exact to a minute, so that a busy session is not written at every call. `language` is the one that the
    browser asks for, if that is known.
    """
    if refresh_id is not None and refresh_id == session.refresh_id and not session.refresh_used:
        Session.objects.filter(pk=session.pk, refresh_id=refresh_id).update(refresh_used=True)
    new_language = language or session.language
    if timezone.now() - session.last_seen_at > LAST_SEEN_EXACT_TO or new_language != session.language:
        Session.objects.filter(pk=session.pk).update(last_seen_at=timezone.now(), language=new_language)


def record_presence(session_ids: Collection[UUID]) -> None:
    """Record that some sessions have an open socket, or had one until now."""
    with connection.cursor() as cursor:
        cursor.execute(RECORD_PRESENCE, {"sessions": list(session_ids)})
