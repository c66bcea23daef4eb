"""Sessions: a session begins with each sign-in, and ends by signing out, from another device or by the staff."""

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


# A row that someone else is writing at this moment is left to them, so that this waits for nobody.
RECORD_PRESENCE = """
WITH s AS MATERIALIZED (SELECT id FROM accounts_session WHERE id = ANY(%(sessions)s) FOR NO KEY UPDATE SKIP LOCKED)
UPDATE accounts_session SET last_seen_at = clock_timestamp() FROM s WHERE accounts_session.id = s.id
"""


class SessionEnded(Exception):
    """This session has ended; whoever holds its tokens has to sign in again."""


def start_session(
    *, user: User, name: str = "", ip: str | None = None, language: str = "", devices: Devices = ()
) -> Session:
    """Begin a session on a device that has just signed in; Suspended for those who may not.

    NotAllowed for the demo's people at an address of another machine: everyone knows their password.
    SessionEnded if the password was changed, or the account closed, since the person was found. The device is known
    from now on: by one of the tokens that it shows, or by a new one, `device_token`.
    """
    if user.suspended_at:
        raise Suspended.because(user.suspension_reason)
    if ip and not is_local(ip) and _is_of_the_demo(user):
        raise NotAllowed("The demo's people sign in on the machine that the server runs on, and nowhere else.")
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


def _is_of_the_demo(user: User) -> bool:
    """Tell whether someone is one of the demo's people, with the password that everyone knows."""
    if user.username not in DEMO_PEOPLE:
        return False
    with hashing_turn():
        return bool(is_password(DEMO_PASSWORD, user.password))


def _require_unchanged(user: User) -> None:
    """SessionEnded unless a person's password is the one that they were found by.

    A new password ends every session that there is, and one that the former password opens must not begin after that.
    """
    if not any(held.password == user.password for held in lock_people([user.pk])):
        raise SessionEnded


def active_sessions(user: User) -> QuerySet[Session]:
    """Where someone is signed in, the latest used first."""
    return user.sessions.filter(ended_at=None).order_by("-last_seen_at", "-pk")


def sign_out(*, session: Session) -> None:
    """End the session of whoever asks for it; their device stays known."""
    _end(session.user_id, Session.objects.filter(pk=session.pk))


def end_session(*, session: Session) -> None:
    """End a session: its cookie and tokens are worth nothing from now on, and its sockets close.

    Its device may be in other hands, and so is not known any more.
    """
    sessions = Session.objects.filter(user=session.user_id)
    with transaction.atomic():
        _end(session.user_id, sessions.filter(pk=session.pk))
        forget_devices(sessions.filter(device_digest=session.device_digest))


def end_other_sessions(*, session: Session) -> int:
    """End every session of a person but this one, and forget their other devices; tell how many sessions there were."""
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
    # Everyone who changes a person's sessions holds the person first, so that no two of them wait for each other.
    lock_people([user_id])
    ended = sessions.filter(ended_at=None).update(ended_at=timezone.now())
    if ended:
        publish_user_change(people=[user_id])
    return ended


def record_use(*, session: Session, refresh_id: UUID | None = None, language: str = "") -> None:
    """Note that a session is in use, and that its newest tokens have reached their owner: older ones are worth nothing.

    The time is exact to a minute, so that a busy session is not written for every call. `language` is the one that its
    browser asks for, if that is known.
    """
    if refresh_id is not None and refresh_id == session.refresh_id and not session.refresh_used:
        Session.objects.filter(pk=session.pk, refresh_id=refresh_id).update(refresh_used=True)
    spoken = language or session.language
    if timezone.now() - session.last_seen_at > LAST_SEEN_EXACT_TO or spoken != session.language:
        Session.objects.filter(pk=session.pk).update(last_seen_at=timezone.now(), language=spoken)


def record_presence(session_ids: Collection[UUID]) -> None:
    """Note that some sessions have an open socket, or had one until now."""
    with connection.cursor() as cursor:
        cursor.execute(RECORD_PRESENCE, {"sessions": list(session_ids)})
