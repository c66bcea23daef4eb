"""Pages of a list, and the cursors that lead from one page to the next.

A cursor is of the generation of the database in which it was issued (`chatproject.core.generation`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing

from chatproject.core.errors import Gone
from chatproject.core.generation import known_generation

T = TypeVar("T")

PAGE_SIZE = 50
PAGE_SIZE_MAX = 100


class BadCursor(ValueError):
    """A cursor that this server did not issue for this list."""


class OldCursor(Gone):
    """A cursor from before a backup was restored."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next` and `previous` are cursors, or positions where a list has them."""

    items: Sequence[T]
    next: str | int | None
    previous: str | int | None
    has_more: bool


def write_cursor(position: Any, *, salt: str, generation: int | None = None) -> str:
    """Return a signed cursor for a position in a list, of the present generation unless another is given."""
    return signing.dumps({"generation": generation or known_generation(), "position": position}, salt=salt)


def read_cursor(cursor: str, *, salt: str) -> Any:
    """Return the position of a cursor.

    BadCursor unless `write_cursor` made it for this list, OldCursor if a backup was restored since then.
    """
    try:
        content = signing.loads(cursor, salt=salt)
    except signing.BadSignature as error:
        raise BadCursor("This cursor is not one of ours.") from error
    # Cursors of releases that knew no generations are positions, which are no objects.
    is_new = isinstance(content, dict)
    if (content["generation"] if is_new else 1) != known_generation():
        raise OldCursor("A backup was restored since then. Begin anew without a cursor.", pointer="/cursor")
    return content["position"] if is_new else content
