"""Signing in with a wallet: verifying the signed message, and finding the account of the wallet."""

import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import User
from accounts.wallets.ethereum import signer_of
from accounts.wallets.nonces import use_nonce
from accounts.wallets.siwe import SignInMessage, Site
from chatproject.core import rate_limits
from chatproject.core.client_address import origin_of
from chatproject.core.rate_limits import quotas


class WalletNotProven(Exception):
    """The signature does not prove a wallet, or the wallet's account may not sign in."""


def this_site() -> Site:
    """Return the site that messages must name. It comes from SITE_URL alone: a request may name any Host."""
    return Site.of(origin_of(settings.SITE_URL))


def verify_wallet(*, message: str, signature: str, address: str) -> str:
    """Return the wallet that has signed a fresh message for this site. Raises WalletNotProven otherwise.

    The nonce is used up even if something else is wrong. Raises RateLimited after too many failures from the address.
    """
    chance = rate_limits.require([(quotas.SIGN_IN_FAILURES_OF_ADDRESS, address)])
    try:
        signed = SignInMessage.read(message)
        is_proven = (
            use_nonce(signed.nonce)
            and signed.is_for(this_site(), at=timezone.now())
            and signer_of(message, signature) == signed.address
        )
    except ValueError:
        is_proven = False
    if not is_proven:
        raise WalletNotProven
    rate_limits.refund(chance)
    return signed.address


def user_of_wallet(*, wallet: str, address: str) -> User:
    """Return the user of a verified wallet; create an account for a new wallet.

    Raises WalletNotProven if the account is closed, and RateLimited after too many new accounts from the address.
    """
    user = User.objects.filter(wallet_address=wallet).first()
    if user is None:
        rate_limits.require([(quotas.REGISTRATIONS, address)])
        user = _register(wallet)
    if not user.is_active:
        raise WalletNotProven
    return user


def _register(wallet: str) -> User:
    """Create an account for a wallet; two requests at the same time create only one."""
    defaults = {"username": f"w_{secrets.token_hex(6)}", "password": make_password(None), "has_given_name": True}
    return User.objects.get_or_create(wallet_address=wallet, defaults=defaults)[0]
