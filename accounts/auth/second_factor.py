"""The second factor, where there is one: django-allauth keeps the secrets, every door asks here."""

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.app_settings import TOTP_PERIOD
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt, is_mfa_enabled
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.auth import factor_secrets  # noqa: F401 (connects what binds secrets to their rows)
from accounts.auth.sign_in_attempts import count_sign_in_attempt
from accounts.models import User
from chatproject.core import rate_limits

LAST_STEP = "last_step"
"""Where the data of an app keeps the number of the 30 seconds whose code was used last."""


def needs_code(user: User) -> bool:
    """Tell whether a password alone does not let this person in."""
    return bool(is_mfa_enabled(user))


def check_code(*, user: User, code: str, address: str, devices: Collection[bytes] = ()) -> Authenticator | None:
    """Check a code and use it up; None for a wrong one, which counts like a wrong password. RateLimited after many."""
    chance = count_sign_in_attempt(username=user.username, address=address, devices=devices)
    used = use_code(user=user, code=code)
    if used is not None:
        rate_limits.refund(chance)
    return used


@transaction.atomic
def use_code(*, user: User, code: str) -> Authenticator | None:
    """Check a code from an app or from paper, and use it up; None if it is wrong or has been used."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    # Locked, so that of two who show the same code at the same moment one is refused.
    for authenticator in Authenticator.objects.select_for_update().filter(user=user, type__in=kinds):
        is_app = authenticator.type == Authenticator.Type.TOTP
        # A secret that does not open fits no code, and stands in the way of no other.
        with suppress(ValidationError):
            if use_step(authenticator, code) if is_app else authenticator.wrap().validate_code(code):
                authenticator.record_usage()
                return authenticator
    return None


def use_step(app: Authenticator, code: str) -> bool:
    """Note that the code of an app is used, if it is right and later than every code that was used before."""
    step = step_of(decrypt(app.data["secret"]), code)
    if step is None or step <= app.data.get(LAST_STEP, 0):
        return False
    record_step(app, step)
    return True


def record_step(app: Authenticator, step: int) -> None:
    """Note that the codes of an app up to this one are used."""
    app.data[LAST_STEP] = step
    app.save(update_fields=["data"])


def step_of(secret: str, code: str) -> int | None:
    """Find which 30 seconds a code belongs to, the present ones or those before; None if it is wrong."""
    now = int(time.time()) // TOTP_PERIOD
    right = (step for step in (now, now - 1) if compare_user_code(actual=code, expected=_code_at(secret, step)))
    return next(right, None)


def _code_at(secret: str, step: int) -> str:
    return str(format_hotp_value(hotp_value(secret, step)))


@dataclass(frozen=True, slots=True)
class Factors:
    """What protects someone's account."""

    has_password: bool
    has_app: bool
    passkeys: int
    codes: int | None
    """Codes on paper that are left; None if there never were any."""


def factors_of(user: User) -> Factors:
    """Tell what protects someone's account."""
    mine = list(Authenticator.objects.filter(user=user))
    kinds = [each.type for each in mine]
    paper = next((each.wrap() for each in mine if each.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        has_password=user.has_usable_password(),
        has_app=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        codes=_left(paper) if paper else None,
    )


def _left(paper: Any) -> int:
    """Count the codes on paper that are left: none where their secret does not open."""
    with suppress(ValidationError):
        return len(paper.get_unused_codes())
    return 0
