"""Showing once more that it is oneself: asked for before what lets a person in changes.

A stolen token or cookie opens a session; it must not be able to open another way in that outlives it. So a confirmation
is a person's password or the signature of their wallet, with a code where they have a second factor, or a passkey. It
belongs to one session, on whatever server, and ends with it.
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
    """What was given does not show that it is this person."""


def confirm_by_password(
    *, session: Session, password: str, code: str | None, address: str, devices: Devices = ()
) -> None:
    """Note that the person of a session has given their password, and a code where they have a second factor.

    NotConfirmed for anything else. RateLimited after as many failures as for signing in.
    """
    found = check_password(username=session.user.username, password=password, address=address, devices=devices)
    if found is None or found.pk != session.user_id:
        raise NotConfirmed
    _confirm_with_factor(session, code, address, devices)


def confirm_by_wallet(
    *, session: Session, message: str, signature: str, code: str | None, address: str, devices: Devices = ()
) -> None:
    """Note that the wallet of a person without a password has signed, and a code was given where one is needed.

    NotConfirmed for anything else, RateLimited as above.
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
    """Note that the person of a session has just shown that it is them."""
    Session.objects.filter(pk=session.pk, ended_at=None).update(confirmed_at=Now())


def is_confirmed(session: Session) -> bool:
    """Tell whether the person of a session has shown within five minutes that it is them."""
    fresh = Session.objects.filter(pk=session.pk, ended_at=None, confirmed_at__gt=Now() - GOOD_FOR)
    return fresh.exists()


def require_confirmed(session: Session) -> None:
    """ConfirmationRequired unless the person of a session has shown within five minutes that it is them."""
    if not is_confirmed(session):
        raise ConfirmationRequired("Please confirm first that it is you.")
