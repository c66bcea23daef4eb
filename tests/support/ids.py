"""Ids of messages that were made at another time."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from chatproject.core.ids import first_id_at, uuid7


def minted(at: timedelta) -> str:
    """Make a message id whose time lies this far from now."""
    return str(UUID(int=first_id_at(timezone.now() + at).int | uuid7().int % (1 << 80)))
