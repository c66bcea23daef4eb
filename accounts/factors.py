"""The second factor, where there is one: django-allauth keeps the secrets, every door asks here."""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction

from accounts.models import User


def needs_code(user: User) -> bool:
    """Tell whether a password alone does not let this person in."""
    return bool(is_mfa_enabled(user))


@transaction.atomic
def use_code(*, user: User, code: str) -> bool:
    """Check a code from an app or from paper, and use it up."""
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for authenticator in Authenticator.objects.select_for_update().filter(user=user, type__in=kinds):
        if authenticator.wrap().validate_code(code):
            authenticator.record_usage()
            return True
    return False


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
        codes=len(paper.get_unused_codes()) if paper else None,
    )
