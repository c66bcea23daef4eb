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
"""Hashing a password takes a core and memory for a while; more at once would only take them from everybody else."""


@contextmanager
def hashing_turn() -> Iterator[None]:
    """Wait for a turn to hash a password, without keeping a database connection from others meanwhile."""
    with without_connection(), HASHING:
        yield


def check_password(*, username: str, password: str, address: str, devices: Devices = ()) -> User | None:
    """Find who a name and a password belong to; None for anyone else, and for accounts that are closed.

    RateLimited after too many failures (`accounts.auth.sign_in_attempts` says whose), whatever the password is.
    """
    chance = count_sign_in_attempt(username=username, address=address, devices=devices)
    with hashing_turn():
        user = authenticate(None, username=fold_username(username), password=password)
    if not isinstance(user, User):
        return None
    rate_limits.refund(chance)
    return user


def renew_password(user: User, password: str) -> None:
    """Store the password that a person has signed in with in its normal form, unless it was changed meanwhile."""
    former = user.password
    with hashing_turn():
        user.set_password(password)
    User.objects.filter(pk=user.pk, password=former).update(password=user.password)


def prepare_password(*, user: User, password: str) -> None:
    """Hash a password for a person without storing it: it takes long, and so comes before a transaction."""
    with hashing_turn():
        user.set_password(password)
