"""Who shares read receipts. Someone who does not share theirs does not see those of others, either.

It is applied where members are shown (`conversations.events`) and where receipts are stored, published and read
(`messaging.receipts`).
"""

from accounts.models import User
from accounts.people.user_settings import settings_of


def shows_read_receipts(user: User) -> bool:
    """Return whether a person shares read receipts: others see theirs, and they see those of others."""
    return bool(settings_of(user)["read_receipts"])
