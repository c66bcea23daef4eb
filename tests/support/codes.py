"""The codes that an app on someone's phone shows."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

PERIOD, LONG_ENOUGH = 30, 8


def code_of(secret: str, *, steps: int = 0) -> str:
    """What the app shows now, or so many times 30 seconds away; a code that is about to change is not read any more."""
    left = PERIOD - time.time() % PERIOD
    if left < LONG_ENOUGH:
        time.sleep(left)
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + steps)))


def forget_used_codes() -> None:
    """Let codes that were used count as new: the app would show the next one in half a minute."""
    for app in Authenticator.objects.filter(type=Authenticator.Type.TOTP):
        app.data.pop("last_step", None)
        app.save()
