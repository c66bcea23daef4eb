"""Rate limits of failed sign-in attempts.

A failure counts against the name and the address together, against the address, and, with a higher limit, against the
name alone. So a stranger at another address can't lock a person out by failing with their name. The failures of a known
device (`accounts.auth.known_devices`) count against that device alone, and nobody else's failures lock it out.
"""

from accounts.auth.known_devices import Devices, known_device
from accounts.usernames import fold_username
from chatproject.core import rate_limits
from chatproject.core.client_address import rate_limit_subject
from chatproject.core.rate_limits import quotas


def count_sign_in_attempt(*, username: str, address: str, devices: Devices = ()) -> rate_limits.Verdict:
    """Count an attempt as a failure before it is checked, so that attempts at the same time count as well.

    Raises RateLimited if there were too many. The caller refunds the verdict of a successful attempt.
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
