"""What may be done with people and their sessions; the only code that writes them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import check_password as is_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.auth.attempts import Devices, count_sign_in_attempt, digest_of, forget_devices, known_device, new_token
from accounts.changes import publish_user_change
from accounts.hashers import normal_password
from accounts.models import Session, User
from accounts.people.relations import lock_people
from accounts.usernames import IS_KEPT, IS_TAKEN, fold_username, is_kept
from chatproject.core import rate_limits
from chatproject.core.database import without_connection
from chatproject.core.errors import NotAllowed, Suspended
from chatproject.core.ids import uuid7
from chatproject.core.names import name_error
from chatproject.exposure import DEMO_PASSWORD, DEMO_PEOPLE, is_local

LAST_SEEN_EXACT_TO = timedelta(minutes=1)
REPEAT_WITHIN = timedelta(seconds=60)
"""For how long a refresh token that has been turned into a pair still leads to it."""
HASHING = BoundedSemaphore(2)
"""Hashing a password takes a core and memory for a while; more at once would only take them from everybody else."""

# A row that someone else is writing at this moment is left to them, so that this waits for nobody.
RECORD_PRESENCE = """
WITH s AS MATERIALIZED (SELECT id FROM accounts_session WHERE id = ANY(%(sessions)s) FOR NO KEY UPDATE SKIP LOCKED)
UPDATE accounts_session SET last_seen_at = clock_timestamp() FROM s WHERE accounts_session.id = s.id
"""


class NameTaken(Exception):
    """Nobody can have this username any more: someone has it, or it is kept for the server."""


class SessionEnded(Exception):
    """This session has ended; whoever holds its tokens has to sign in again."""


def register(*, username: str, password: str, display_name: str = "", email: str = "") -> User:
    """Make an account; NameTaken, or Django's ValidationError for a bad name or a password that is too weak."""
    user = User(username=username.lower(), display_name=display_name, email=email)
    user.clean_fields(exclude=["password"])
    if display_name and (fault := name_error(display_name)):
        raise ValidationError({"display_name": fault})
    validate_password(normal_password(password), user)
    if is_kept(user.username):
        raise NameTaken(IS_KEPT)
    try:
        with without_connection(), HASHING, transaction.atomic():
            return User.objects.create_user(username, password, display_name=display_name, email=email)
    except IntegrityError as error:
        raise NameTaken(IS_TAKEN) from error


def check_password(*, username: str, password: str, address: str, devices: Devices = ()) -> User | None:
    """Find who a name and a password belong to; None for anyone else, and for accounts that are closed.

    RateLimited after too many failures (`accounts.auth.attempts` says whose), whatever the password is.
    """
    chance = count_sign_in_attempt(username=username, address=address, devices=devices)
    with without_connection(), HASHING:
        user = authenticate(None, username=fold_username(username), password=password)
    if not isinstance(user, User):
        return None
    rate_limits.refund(chance)
    return user


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
        _renew_password(user, user.outdated_password)
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
    with without_connection(), HASHING:
        return bool(is_password(DEMO_PASSWORD, user.password))


def _require_unchanged(user: User) -> None:
    """SessionEnded unless a person's password is the one that they were found by.

    A new password ends every session that there is, and one that the former password opens must not begin after that.
    """
    if not any(held.password == user.password for held in lock_people([user.pk])):
        raise SessionEnded


def _renew_password(user: User, password: str) -> None:
    """Store the password that a person has signed in with in its normal form, unless it was changed meanwhile."""
    former = user.password
    with without_connection(), HASHING:
        user.set_password(password)
    User.objects.filter(pk=user.pk, password=former).update(password=user.password)


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


def change_password(*, user: User, password: str, keep: Session | None = None) -> None:
    """Give a person another password; every session but the one that is kept ends."""
    prepare_password(user=user, password=password)
    store_password(user=user, keep=keep)


def prepare_password(*, user: User, password: str) -> None:
    """Hash a password for a person without storing it: it takes long, and so comes before a transaction."""
    with without_connection(), HASHING:
        user.set_password(password)


@transaction.atomic
def store_password(*, user: User, keep: Session | None = None) -> None:
    """Store the password that was prepared for a person; every session but the one that is kept ends."""
    lock_people([user.pk])
    user.save(update_fields=["password"])
    if keep is not None:
        end_other_sessions(session=keep)
    else:
        end_all_sessions(user=user)


@transaction.atomic
def start_tokens(*, session: Session) -> Session:
    """Give a session its first pair of tokens."""
    return _rotate(Session.objects.select_for_update().get(pk=session.pk), timezone.now())


def refresh_tokens(*, session_id: UUID, refresh_id: UUID) -> Session:
    """Turn a refresh token into the next pair; SessionEnded if it is worth nothing, Suspended for those who are.

    Until the newest pair has been seen in use, and for a minute at most, the token before it leads to that same pair
    again: two tabs, or a lost answer. An older one, or the one before after that, can only be a copy in other hands:
    the session ends.
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
    """Tell whether the newest pair may be given out once more: it is fresh, and nobody has used it."""
    is_fresh = session.refreshed_at is not None and timezone.now() - session.refreshed_at <= REPEAT_WITHIN
    return is_fresh and not session.refresh_used


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


def _rotate(session: Session, now: datetime) -> Session:
    session.previous_refresh_id, session.refresh_id = session.refresh_id, uuid7()
    session.refreshed_at, session.last_seen_at, session.refresh_used = now, now, False
    session.save(update_fields=["previous_refresh_id", "refresh_id", "refreshed_at", "last_seen_at", "refresh_used"])
    return session
