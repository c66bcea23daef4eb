"""The description of a route, written beside it: `docs/openapi.yaml` is made from it, and tests check every answer
against it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from rest_framework.serializers import Serializer

View = TypeVar("View", bound=Callable[..., Any])
Pagination = Literal["", "cursor", "position", "part"]
"""How a list goes on: by an opaque cursor, by positions, or in parts of what has changed; empty for what is no list."""


@dataclass(frozen=True, slots=True)
class Description:
    """One method of one route."""

    id: str
    """The operation's name in the document."""
    response: Any = None
    """The type of `data`; None for an answer without a body."""
    status: int = 200
    also: int | None = None
    """A second status with the same body."""
    body: type[Serializer[Any]] | None = None
    """The serializer of the request body."""
    query: str = ""
    """The names of the query parameters, separated by spaces."""
    errors: str = ""
    """The status codes of errors other than those that any route may give, separated by spaces."""
    pagination: Pagination = ""
    is_public: bool = False
    """Whether the route can be called without signing in."""
    reads_session: bool = False
    """Whether the answer of a public route differs for people who are signed in."""
    has_etag: bool = False
    """Whether the answer carries an ETag."""


def described(id: str, response: Any = None, **more: Any) -> Callable[[View], View]:
    """Attach a `Description` to a method of a view set."""

    about = Description(id, response, **{"status": 204 if response is None else 200, **more})

    def attach(view: View) -> View:
        view.description = about  # type: ignore[attr-defined]
        return view

    return attach
