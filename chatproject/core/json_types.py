"""What the texts and numbers in our answers look like: the documents read it, to all else they are plain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict


@dataclass(frozen=True, slots=True)
class SchemaKeywords:
    """How a value looks, in the words of JSON Schema."""

    words: Mapping[str, Any] = field(hash=False)


def one_of(*values: str) -> SchemaKeywords:
    """One of some words."""
    return SchemaKeywords({"enum": list(values)})


IdText = Annotated[str, SchemaKeywords({"format": "uuid"})]
"""A UUID version 7, as text."""
TimeText = Annotated[str, SchemaKeywords({"format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]})]
"""A time of RFC 3339 in UTC, with milliseconds."""
UrlText = Annotated[str, SchemaKeywords({"format": "uri"})]
PathText = Annotated[str, SchemaKeywords({"format": "uri-reference"})]
"""A path on this server; it leads, for those who may, to a link of the storage's that lives for five minutes."""
Count = Annotated[int, SchemaKeywords({"minimum": 0})]
"""How many there are, a position or a version."""


class SuccessJSON(TypedDict):
    """It is done."""

    success: bool
