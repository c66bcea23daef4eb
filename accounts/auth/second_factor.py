"""The second factor of an account. django-allauth stores the secrets; the API and the pages check codes here."""

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

from accounts.auth import factor_secrets  # noqa: F401 (connects the signals that bind secrets to rows)
from accounts.auth.sign_in_attempts import count_sign_in_attempt
from accounts.models import User
from chatproject.core import rate_limits

LAST_STEP = "last_step"
"""Key in the data of an authenticator app: the number of the 30-second step whose code was used last."""


def needs_code(user: User) -> bool:
    """Return whether a person needs a code as well as their password to sign in."""
    return bool(is_mfa_enabled(user))


def check_code(*, user: User, code: str, address: str, devices: Collection[bytes] = ()) -> Authenticator | None:
    """Check and use up a code; None if it is wrong. A wrong one counts as a failed sign-in, see RateLimited there."""
    chance = count_sign_in_attempt(username=user.username, address=address, devices=devices)
    used = use_code(user=user, code=code)
    if used is not None:
        rate_limits.refund(chance)
    return used


@transaction.atomic
def use_code(*, user: User, code: str) -> Authenticator | None:
    """Check and use up a code of an authenticator app or a recovery code; None if it is wrong or was used before."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    # The row is locked, so that of two requests with the same code one is refused.
    for authenticator in Authenticator.objects.select_for_update().filter(user=user, type__in=kinds):
        is_app = authenticator.type == Authenticator.Type.TOTP
        # A secret that cannot be decrypted matches no code, and must not prevent the check of the others.
        with suppress(ValidationError):
            if use_step(authenticator, code) if is_app else authenticator.wrap().validate_code(code):
                authenticator.record_usage()
                return authenticator
    return None


def use_step(app: Authenticator, code: str) -> bool:
    """Record that a code of an app was used, if it is right and later than every code that was used before."""
    step = step_of(decrypt(app.data["secret"]), code)
    if step is None or step <= app.data.get(LAST_STEP, 0):
        return False
    record_step(app, step)
    return True


def record_step(app: Authenticator, step: int) -> None:
    """Record that the codes of an app up to this step are used."""
    app.data[LAST_STEP] = step
    app.save(update_fields=["data"])


def step_of(secret: str, code: str) -> int | None:
    """Return the 30-second step that a code belongs to: the current or the previous one; None if it is wrong."""
    now = int(time.time()) // TOTP_PERIOD
    right = (step for step in (now, now - 1) if compare_user_code(actual=code, expected=_code_at(secret, step)))
    return next(right, None)


def _code_at(secret: str, step: int) -> str:
    return str(format_hotp_value(hotp_value(secret, step)))


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors that protect an account."""

    has_password: bool
    has_app: bool
    passkeys: int
    codes: int | None
    """How many recovery codes are left; None if there never were any."""


def factors_of(user: User) -> Factors:
    """Return the factors that protect someone's account."""
    mine = list(Authenticator.objects.filter(user=user))
    kinds = [each.type for each in mine]
    recovery = next((each.wrap() for each in mine if each.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        has_password=user.has_usable_password(),
        has_app=Authenticator.Type.TOTP in kinds,
        passkeys=kinds.count(Authenticator.Type.WEBAUTHN),
        codes=_count_unused(recovery) if recovery else None,
    )


def _count_unused(recovery: Any) -> int:
    """Count the recovery codes that are left: none if their secret cannot be decrypted."""
    with suppress(ValidationError):
        return len(recovery.get_unused_codes())
    return 0
