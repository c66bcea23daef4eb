"""Confirmation (reauthentication): a person proves their identity again before they change how they sign in.

A stolen token or cookie gives access to one session. Without a confirmation, the thief could add a way to sign in that
outlives that session. A confirmation is the password or a signature of the wallet, each with a code if the person has
a second factor, or a passkey. It belongs to one session, on whatever server, and ends with it.
"""

from datetime import timedelta

from django.db.models.functions import Now

from accounts.auth.known_devices import Devices
from accounts.auth.passwords import check_password
from accounts.auth.second_factor import check_code, needs_code
from accounts.auth.sign_in_attempts import count_sign_in_attempt
from accounts.models import Session, User
from accounts.wallets.sign_in import WalletNotProven, verify_wallet
from chatproject.core.errors import ConfirmationRequired

GOOD_FOR = timedelta(minutes=5)


class NotConfirmed(Exception):
    """The credentials do not belong to the person of the session."""


def confirm_by_password(
    *, session: Session, password: str, code: str | None, address: str, devices: Devices = ()
) -> None:
    """Confirm a session by the person's password, with a code if they have a second factor.

    Raises NotConfirmed if either is wrong, and RateLimited after as many failures as for signing in.
    """
    found = check_password(username=session.user.username, password=password, address=address, devices=devices)
    if found is None or found.pk != session.user_id:
        raise NotConfirmed
    _confirm_with_factor(session, code, address, devices)


def confirm_by_wallet(
    *, session: Session, message: str, signature: str, code: str | None, address: str, devices: Devices = ()
) -> None:
    """Confirm the session of a person without a password by their wallet's signature, with a code if one is needed.

    Raises NotConfirmed and RateLimited as `confirm_by_password` does.
    """
    try:
        wallet = verify_wallet(message=message, signature=signature, address=address)
    except WalletNotProven:
        raise NotConfirmed from None
    if session.user.has_usable_password() or wallet != session.user.wallet_address:
        count_sign_in_attempt(username=session.user.username, address=address, devices=devices)
        raise NotConfirmed
    _confirm_with_factor(session, code, address, devices)


def _confirm_with_factor(session: Session, code: str | None, address: str, devices: Devices) -> None:
    if needs_code(session.user) and not _has_code(session.user, code, address, devices):
        raise NotConfirmed
    record_confirmation(session=session)


def _has_code(user: User, code: str | None, address: str, devices: Devices) -> bool:
    return code is not None and check_code(user=user, code=code, address=address, devices=devices) is not None


def record_confirmation(*, session: Session) -> None:
    """Record that the person of a session has just confirmed their identity."""
    Session.objects.filter(pk=session.pk, ended_at=None).update(confirmed_at=Now())


def is_confirmed(session: Session) -> bool:
    """Return whether the person of a session has confirmed their identity within the last five minutes."""
    fresh = Session.objects.filter(pk=session.pk, ended_at=None, confirmed_at__gt=Now() - GOOD_FOR)
    return fresh.exists()


def require_confirmed(session: Session) -> None:
    """Raise ConfirmationRequired unless the person has confirmed their identity within the last five minutes."""
    if not is_confirmed(session):
        raise ConfirmationRequired("Please confirm first that it is you.")
