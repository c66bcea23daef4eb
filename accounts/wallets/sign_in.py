"""Signing in with a wallet: who has signed a message, and whom that lets in."""

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
    """Nothing shows that whoever asks holds a wallet, or it lets nobody in."""


def this_site() -> Site:
    """Give what messages for this site must name: SITE_URL alone, for a request may claim to be for any site."""
    return Site.of(origin_of(settings.SITE_URL))


def verify_wallet(*, message: str, signature: str, address: str) -> str:
    """Find the wallet that has signed a fresh message for this site; NotProven for all else.

    The nonce is used up by it, whatever else is wrong. RateLimited after too many failures from the address.
    """
    chance = rate_limits.require([(quotas.SIGN_IN_FAILURES_OF_ADDRESS, address)])
    try:
        said = SignInMessage.read(message)
        is_proven = (
            use_nonce(said.nonce)
            and said.is_for(this_site(), at=timezone.now())
            and signer_of(message, signature) == said.address
        )
    except ValueError:
        is_proven = False
    if not is_proven:
        raise WalletNotProven
    rate_limits.refund(chance)
    return said.address


def user_of_wallet(*, wallet: str, address: str) -> User:
    """Find who a proven wallet lets in, and make an account at first sight; NotProven if that one may not come in.

    RateLimited after too many new accounts from the address.
    """
    user = User.objects.filter(wallet_address=wallet).first()
    if user is None:
        rate_limits.require([(quotas.REGISTRATIONS, address)])
        user = _register(wallet)
    if not user.is_active:
        raise WalletNotProven
    return user


def _register(wallet: str) -> User:
    """Make a person whom a wallet lets in; of two first times at once, one does."""
    given = {"username": f"w_{secrets.token_hex(6)}", "password": make_password(None), "has_given_name": True}
    return User.objects.get_or_create(wallet_address=wallet, defaults=given)[0]
