"""What a route is, said once beside it: `docs/openapi.yaml` is made of this, and tests hold every answer to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from rest_framework.serializers import Serializer

View = TypeVar("View", bound=Callable[..., Any])
Paging = Literal["", "cursor", "position", "part"]


@dataclass(frozen=True, slots=True)
class Description:
    """One method of one route.

    `gives` is the shape of `data`, None for an answer without a body. `paged` says how a list goes on: by an opaque
    cursor, by positions, or in parts of what changed. `asks` names parameters of the query, `but` the codes of refusals
    beside those that any route may give. `also` is a second status with the same body.
    """

    id: str
    gives: Any = None
    status: int = 200
    also: int | None = None
    takes: type[Serializer[Any]] | None = None
    asks: str = ""
    but: str = ""
    paged: Paging = ""
    is_open: bool = False
    """Whether nobody needs to be signed in; `knows_people`, whether it makes a difference to be."""
    knows_people: bool = False
    is_tagged: bool = False
    """Whether the answer carries an ETag."""


def described(id: str, gives: Any = None, **more: Any) -> Callable[[View], View]:
    """Say what a method of a view set is, by its name in the documents and what it gives."""

    about = Description(id, gives, **{"status": 204 if gives is None else 200, **more})

    def note(view: View) -> View:
        view.description = about  # type: ignore[attr-defined]
        return view

    return note
