"""How many calls, messages, sockets and sign-ins are allowed, in how many seconds: every rate limit of the project.

`Limit(name, quota, window)` allows `quota` uses in `window` seconds. The names are part of the contract: answers carry
them in their `RateLimit` headers.
"""

from chatproject.core.rate_limits.limit import Limit

DAY = 24 * 3600

CALLS = Limit("calls", 600, 60, bytes_each=4096)
"""Calls of one person, other than messages."""
CALLS_OF_ADDRESS = Limit("anonymous", 600, 60, bytes_each=4096)
"""Calls from one address without a signed-in person."""
SEND = Limit("send", 30, 1, burst=90)
"""Messages of one person, through REST, WebSocket and pages together."""
FORWARDS = Limit("forwards", 200, 60)
"""Messages that one person forwards; each attachment counts as one message more."""

SOCKETS = Limit("sockets", 60, 60, burst=30)
"""Sockets that one person opens."""
SOCKETS_OF_ADDRESS = Limit("sockets-address", 6000, 60, burst=10_000)
"""Sockets opened from one address: after a restart, thousands of people behind one address may reconnect at once."""
FRAMES = Limit("frames", 200, 1, burst=1000)
"""Frames of one socket, of any kind."""
TYPING = Limit("typing", 5, 1, burst=30)
"""Typing frames of one socket, starts and stops: each is delivered to every participant who is connected."""

REGISTRATIONS = Limit("register", 10, 3600, guards=True)
"""Accounts registered from one address."""
SIGN_IN_FAILURES = Limit("sign-in", 5, 300, guards=True)
"""Failed sign-ins with one name from one address."""
SIGN_IN_FAILURES_OF_ADDRESS = Limit("sign-in-address", 20, 300, guards=True)
"""Failed sign-ins from one address, with any name."""
SIGN_IN_FAILURES_OF_NAME = Limit("sign-in-name", 100, 3600, guards=True)
"""Failed sign-ins with one name, from any address. One address alone cannot use it up: it has 60 an hour."""
SIGN_IN_FAILURES_OF_DEVICE = Limit("sign-in-device", 5, 300, guards=True)
"""Failed sign-ins from a device on which this person has signed in before. No other failure counts towards it."""
PASSWORD_RESETS_OF_ADDRESS = Limit("password-reset-address", 20, 3600, guards=True)
"""Password reset mails that one address requests."""
PASSWORD_RESETS_OF_EMAIL = Limit("password-reset", 5, 3600, guards=True)
"""Password reset mails sent to one e-mail address."""

GROUPS = Limit("groups", 100, DAY)
"""Groups that one person creates."""
CONTACT_INVITATIONS = Limit("contact-invitations", 100, DAY)
"""People whom one person invites to be contacts."""
INVITE_LINKS = Limit("invite-links", 100, DAY)
"""Invitation links that one person creates."""
REPORTS = Limit("reports", 100, DAY)
"""Reports by one person."""


def group_additions(group_members: int) -> Limit:
    """People whom one person adds to groups: two groups of the largest size a day."""
    return Limit("participants", 2 * group_members, DAY)


def uploads(bytes_a_day: int) -> Limit:
    """Kilobytes that one person uploads in a day."""
    return Limit("uploads", max(bytes_a_day // 1024, 1), DAY)


WATCHED_PEOPLE_PER_CALL = 20
"""Watching the presence of this many people (`presence.watch`) counts as one call."""
SEARCH_COST = 3
"""A search among all people counts as this many calls: it reads up to two thousand of them."""
CATCH_UP_COST = 20
"""Sending a device up to a thousand messages that it has missed counts as this many calls."""
