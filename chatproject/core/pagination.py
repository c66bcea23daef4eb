"""Pages of a list, and the cursors that lead from one page to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing

T = TypeVar("T")

PAGE_SIZE = 50
PAGE_SIZE_MAX = 100


class BadCursor(ValueError):
    """A cursor that this server did not issue for this list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next` and `previous` are cursors, or positions where a list has them."""

    items: Sequence[T]
    next: str | int | None
    previous: str | int | None
    has_more: bool


def write_cursor(position: Any, *, salt: str) -> str:
    """Return a signed cursor for a position in a list."""
    return signing.dumps(position, salt=salt)


def read_cursor(cursor: str, *, salt: str) -> Any:
    """Return the position of a cursor; BadCursor unless `write_cursor` made it for this list."""
    try:
        return signing.loads(cursor, salt=salt)
    except signing.BadSignature as error:
        raise BadCursor("This cursor is not one of ours.") from error
