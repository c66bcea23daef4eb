"""Checking and hashing passwords."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth import authenticate

from accounts.auth.known_devices import Devices
from accounts.auth.sign_in_attempts import count_sign_in_attempt
from accounts.models import User
from accounts.usernames import fold_username
from chatproject.core import rate_limits
from chatproject.core.database import without_connection

HASHING = BoundedSemaphore(2)
"""Limits how many passwords are hashed at once: each hash occupies a core and memory that others need."""


@contextmanager
def hashing_turn() -> Iterator[None]:
    """Wait until a password may be hashed. No database connection is occupied meanwhile."""
    with without_connection(), HASHING:
        yield


def check_password(*, username: str, password: str, address: str, devices: Devices = ()) -> User | None:
    """Return the person with this username and password; None if there is none, or the account is closed.

    Raises RateLimited after too many failures (`accounts.auth.sign_in_attempts` says whose), whatever the password is.
    """
    chance = count_sign_in_attempt(username=username, address=address, devices=devices)
    with hashing_turn():
        user = authenticate(None, username=fold_username(username), password=password)
    if not isinstance(user, User):
        return None
    rate_limits.refund(chance)
    return user


def renew_password(user: User, password: str) -> None:
    """Store the password that a person has just signed in with in its normal form, unless it has changed meanwhile."""
    former = user.password
    with hashing_turn():
        user.set_password(password)
    User.objects.filter(pk=user.pk, password=former).update(password=user.password)


def prepare_password(*, user: User, password: str) -> None:
    """Hash a password for a person without storing it: hashing is slow, so it is done before a transaction."""
    with hashing_turn():
        user.set_password(password)
