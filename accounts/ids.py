"""UUID version 7 (RFC 9562): ids that sort by the time they were made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["first_id_at", "minted_at", "parse_uuid7", "uuid7"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
"""Ids have room for nine centuries more than a datetime."""


def parse_uuid7(text: str) -> UUID:
    """Read an id in its canonical form, hyphens and all; ValueError for anything else, other versions included."""
    value = UUID(text)
    if value.version != 7 or str(value) != text.lower():
        raise ValueError("not a UUID version 7")
    return value


def minted_at(value: UUID) -> datetime:
    """Tell the time that an id carries, in UTC and whole milliseconds; the end of all time for any beyond that."""
    return EPOCH + timedelta(milliseconds=min(value.int >> 80, LATEST))


def first_id_at(moment: datetime) -> UUID:
    """Give the bound below which every id is older than a moment; no id itself."""
    return UUID(int=((moment - EPOCH) // timedelta(milliseconds=1)) << 80)
