"""Who shares read receipts. Someone who does not share theirs does not see those of others, either.

It is applied where members are shown (`conversations.events`, for the lists of `messaging.sync` and `messaging.api`),
where receipts are stored and read (`messaging.receipts`), and where they are delivered and repaired
(`messaging.realtime`: `receipts`, `receipt_queries`, `queries`).
"""

from accounts.models import User
from accounts.people.user_settings import settings_of

SHOWS_READ = "(u.settings ->> 'read_receipts') IS DISTINCT FROM 'false'"
"""The same rule in SQL, for the row `u` of accounts_user."""


def shows_read_receipts(user: User) -> bool:
    """Return whether a person shares read receipts: others see theirs, and they see those of others."""
    return bool(settings_of(user)["read_receipts"])
