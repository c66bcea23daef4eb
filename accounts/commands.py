"""What may be done with people and their sessions; the only code that writes them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.ids import uuid7
from accounts.models import Session, User
from accounts.realtime import announce_change
from chatproject import limits

LAST_SEEN_EXACT_TO = timedelta(minutes=1)


class NameTaken(Exception):
    """Someone has this username already."""


class SessionEnded(Exception):
    """This session has ended; whoever holds its tokens has to sign in again."""


def register(*, username: str, password: str, display_name: str = "", email: str = "") -> User:
    """Make an account; NameTaken, or Django's ValidationError for a bad name or a password that is too weak."""
    user = User(username=username.lower(), display_name=display_name, email=email)
    user.clean_fields(exclude=["password"])
    validate_password(password, user)
    try:
        with transaction.atomic():
            return User.objects.create_user(username, password, display_name=display_name, email=email)
    except IntegrityError as error:
        raise NameTaken from error


def check_password(*, username: str, password: str, address: str) -> User | None:
    """Find who a name and a password belong to; None for anyone else, and for accounts that are closed.

    RateLimited after too many failures for the name or from the address, whatever the password is.
    """
    require_sign_in_chance(username=username, address=address)
    user = authenticate(None, username=username.lower(), password=password)
    if not isinstance(user, User):
        note_sign_in_failure(username=username, address=address)
        return None
    return user


def require_sign_in_chance(*, username: str, address: str) -> None:
    """RateLimited if this name or this address has failed too often of late."""
    limits.require(_failures(username, address), cost=0)


def note_sign_in_failure(*, username: str, address: str) -> None:
    """Count a failure to sign in, for the name and for the address."""
    for limit in _failures(username, address):
        limits.take([limit])


def _failures(username: str, address: str) -> limits.Asked:
    return [(limits.FAILURES_OF_NAME, username.lower()), (limits.FAILURES_OF_ADDRESS, address)]


def start_session(*, user: User, name: str = "", ip: str | None = None) -> Session:
    """Begin a session on a device that has just signed in."""
    return Session.objects.create(user=user, name=name[:200], ip=ip)


@transaction.atomic
def end_session(*, session: Session) -> None:
    """End a session: its cookie and tokens are worth nothing from now on, and its sockets close."""
    if Session.objects.filter(pk=session.pk, ended_at=None).update(ended_at=timezone.now()):
        announce_change(people=[session.user_id])


@transaction.atomic
def end_other_sessions(*, session: Session) -> int:
    """End every session of a person but this one; tell how many there were."""
    others = Session.objects.filter(user=session.user_id, ended_at=None).exclude(pk=session.pk)
    ended = others.update(ended_at=timezone.now())
    if ended:
        announce_change(people=[session.user_id])
    return ended


@transaction.atomic
def end_all_sessions(*, user: User) -> None:
    """End every session of a person."""
    if Session.objects.filter(user=user, ended_at=None).update(ended_at=timezone.now()):
        announce_change(people=[user.pk])


@transaction.atomic
def change_password(*, user: User, password: str, keep: Session | None = None) -> None:
    """Give a person another password; every session but the one that is kept ends."""
    user.set_password(password)
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
    """Turn a refresh token into the next pair; SessionEnded if it is worth nothing.

    Until the newest pair has been seen in use, the token before it leads to that same pair again: two tabs, or a lost
    answer. An older one, or the one before after that, can only be a copy in other hands: the session ends.
    """
    with transaction.atomic():
        session = Session.objects.select_for_update().filter(pk=session_id, user__is_active=True).first()
        if session is None or not session.is_live:
            raise SessionEnded
        if refresh_id == session.refresh_id:
            return _rotate(session, timezone.now())
        if refresh_id == session.previous_refresh_id and not session.refresh_used:
            return session
        end_session(session=session)
    raise SessionEnded


def note_use(*, session: Session, refresh_id: UUID | None = None) -> None:
    """Note that a session is in use, and that its newest tokens have reached their owner: older ones are worth nothing.

    The time is exact to a minute, so that a busy session is not written for every call.
    """
    if refresh_id is not None and refresh_id == session.refresh_id and not session.refresh_used:
        Session.objects.filter(pk=session.pk, refresh_id=refresh_id).update(refresh_used=True)
    if timezone.now() - session.last_seen_at > LAST_SEEN_EXACT_TO:
        Session.objects.filter(pk=session.pk).update(last_seen_at=timezone.now())


def _rotate(session: Session, now: datetime) -> Session:
    session.previous_refresh_id, session.refresh_id = session.refresh_id, uuid7()
    session.refreshed_at, session.last_seen_at, session.refresh_used = now, now, False
    session.save(update_fields=["previous_refresh_id", "refresh_id", "refreshed_at", "last_seen_at", "refresh_used"])
    return session
