"""The formats of strings and numbers in our JSON. Only the generated documents read them; elsewhere they are plain."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict


@dataclass(frozen=True, slots=True)
class SchemaKeywords:
    """Keywords of JSON Schema that describe a value further."""

    keywords: Mapping[str, Any] = field(hash=False)


def one_of(*values: str) -> SchemaKeywords:
    """One of a fixed set of strings."""
    return SchemaKeywords({"enum": list(values)})


IdText = Annotated[str, SchemaKeywords({"format": "uuid"})]
"""A UUID version 7, as text."""
TimeText = Annotated[str, SchemaKeywords({"format": "date-time", "examples": ["2026-01-31T12:00:00.000Z"]})]
"""A time of RFC 3339 in UTC, with milliseconds."""
UrlText = Annotated[str, SchemaKeywords({"format": "uri"})]
PathText = Annotated[str, SchemaKeywords({"format": "uri-reference"})]
"""A path on this server; it redirects those who may see the file to a link to the storage, valid for five minutes."""
Count = Annotated[int, SchemaKeywords({"minimum": 0})]
"""A count, a position or a version."""


class SuccessJSON(TypedDict):
    """It is done."""

    success: bool
