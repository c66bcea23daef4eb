"""The second factor, where there is one: django-allauth keeps the secrets, every door asks here."""

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
