"""Attempts to sign in, and for whom a failed one is counted.

A failure counts for the name and the address together, for the address, and, more slowly, for the name alone. So a
stranger elsewhere can't lock a person out by failing with their name. The failures of a known device
(`accounts.auth.known_devices`) count for that device alone, and nobody else's failures lock it out.
"""

from accounts.auth.known_devices import Devices, known_device
from accounts.usernames import fold_username
from chatproject.core import rate_limits
from chatproject.core.client_address import rate_limit_subject
from chatproject.core.rate_limits import quotas


def count_sign_in_attempt(*, username: str, address: str, devices: Devices = ()) -> rate_limits.Verdict:
    """Count an attempt as a failure before it is judged, so that many at once count too; RateLimited at the end.

    Whoever succeeds gives it back.
    """
    return rate_limits.require(_failures(fold_username(username), address, devices))


def _failures(username: str, address: str, devices: Devices) -> rate_limits.Buckets:
    if known := known_device(username=username, devices=devices):
        return [(quotas.SIGN_IN_FAILURES_OF_DEVICE, known.hex())]
    return [
        (quotas.SIGN_IN_FAILURES, f"{username}@{rate_limit_subject(address)}"),
        (quotas.SIGN_IN_FAILURES_OF_ADDRESS, address),
        (quotas.SIGN_IN_FAILURES_OF_NAME, username),
    ]
