"""Who shares read receipts. Someone who hides what they have read does not see what others have read, either.

It is applied where members are shown (`conversations.events`) and where receipts are stored, published and read
(`messaging.receipts`).
"""

from accounts.models import User
from accounts.people.user_settings import settings_of


def shows_read_receipts(user: User) -> bool:
    """Tell whether others see what a person has read, and the person what they have."""
    return bool(settings_of(user)["read_receipts"])
