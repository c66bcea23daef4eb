"""UUID version 7 (RFC 9562): ids that sort by the time they were made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, SafeUUID

from uuid_utils.compat import uuid7

__all__ = ["Id", "first_id_at", "id_milliseconds", "id_time", "parse_uuid7", "uuid7"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
"""Ids have room for nine centuries more than a datetime."""


class Id(UUID):
    """A UUID that remembers how it is written: those of a message are read once and written six times."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        """Take the canonical form, in whatever case; nothing is checked."""
        set_once = object.__setattr__
        set_once(self, "int", int(text.replace("-", ""), 16))
        set_once(self, "is_safe", SafeUUID.unknown)
        set_once(self, "_text", text.lower())

    def __str__(self) -> str:
        return self._text

    def __reduce__(self) -> tuple[type["Id"], tuple[str]]:
        return Id, (self._text,)


def parse_uuid7(text: str) -> UUID:
    """Read an id in its canonical form, hyphens and all; ValueError for anything else, other versions included."""
    value = UUID(text)
    if value.version != 7 or str(value) != text.lower():
        raise ValueError("not a UUID version 7")
    return value


def id_milliseconds(value: UUID) -> int:
    """Tell the time that an id carries, in milliseconds since 1970."""
    return value.int >> 80


def id_time(value: UUID) -> datetime:
    """Tell the time that an id carries, in UTC and whole milliseconds; the end of all time for any beyond that."""
    return EPOCH + timedelta(milliseconds=min(id_milliseconds(value), LATEST))


def first_id_at(moment: datetime) -> UUID:
    """Give the bound below which every id is older than a moment; no id itself."""
    return UUID(int=((moment - EPOCH) // timedelta(milliseconds=1)) << 80)
