"""UUID version 7 (RFC 9562): ids that sort by the time of their creation."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, SafeUUID

from uuid_utils.compat import uuid7

__all__ = ["Id", "first_id_at", "id_milliseconds", "id_time", "parse_uuid7", "uuid7"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
"""The latest datetime in milliseconds; ids have room for later ones."""


class Id(UUID):
    """A UUID that keeps its text form: the ids of a message are parsed once and written six times."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        """Parse the canonical form in either case, without checking it."""
        set_once = object.__setattr__
        set_once(self, "int", int(text.replace("-", ""), 16))
        set_once(self, "is_safe", SafeUUID.unknown)
        set_once(self, "_text", text.lower())

    def __str__(self) -> str:
        return self._text

    def __reduce__(self) -> tuple[type["Id"], tuple[str]]:
        return Id, (self._text,)


def parse_uuid7(text: str) -> UUID:
    """Parse an id in its canonical form with hyphens; ValueError for anything else, including other versions."""
    value = UUID(text)
    if value.version != 7 or str(value) != text.lower():
        raise ValueError("not a UUID version 7")
    return value


def id_milliseconds(value: UUID) -> int:
    """Return the time of an id in milliseconds since 1970."""
    return value.int >> 80


def id_time(value: UUID) -> datetime:
    """Return the time of an id in UTC; the latest datetime for ids that are later than that."""
    return EPOCH + timedelta(milliseconds=min(id_milliseconds(value), LATEST))


def first_id_at(moment: datetime) -> UUID:
    """Return the lower bound of the ids created at a moment or later; it is no valid id itself."""
    return UUID(int=((moment - EPOCH) // timedelta(milliseconds=1)) << 80)
