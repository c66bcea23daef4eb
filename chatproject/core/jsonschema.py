"""JSON Schema from Python types: `TypedDict`s, events, and the types of their fields."""

from collections import ChainMap
from collections.abc import Callable
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from chatproject.core.json_types import SchemaKeywords

JSONObject = dict[str, Any]
Component = Callable[[str, JSONObject], JSONObject]
"""Stores a schema under a name, and returns the reference to it."""

PLAIN: dict[Any, JSONObject] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
}


def schema_of(hint: Any, component: Component) -> JSONObject:
    """Return the schema of a type; one that has a name of its own is stored as a component."""
    if hint in PLAIN:
        return PLAIN[hint]
    if is_typeddict(hint) or is_dataclass(hint):
        return component(_name(hint), _object(hint, component))
    inner = [schema_of(each, component) for each in get_args(hint) if not isinstance(each, SchemaKeywords)]
    keywords = [dict(each.keywords) for each in get_args(hint) if isinstance(each, SchemaKeywords)]
    return _compound(get_origin(hint), inner, keywords)


def _compound(origin: Any, inner: list[JSONObject], keywords: list[JSONObject]) -> JSONObject:
    """Return the schema of a type that is composed of others."""
    if origin in {Union, UnionType}:
        return _union(inner)
    if origin is list:
        return {"type": "array", "items": inner[0]}
    if origin is dict:
        return {"type": "object", "additionalProperties": inner[1]}
    # What remains is `Annotated` or `NotRequired`.
    return dict(ChainMap(*keywords, inner[0]))


def _name(hint: Any) -> str:
    name: str = hint.__name__
    return name.removesuffix("JSON")


def _object(hint: Any, component: Component) -> JSONObject:
    """Return the schema of an object with the fields of a dictionary or an event."""
    hints = {name: kind for name, kind in get_type_hints(hint, include_extras=True).items() if name[0] != "_"}
    fields = {name: kind for name, kind in hints.items() if get_origin(kind) is not ClassVar}
    properties = {name: schema_of(kind, component) for name, kind in fields.items()}
    required = [name for name in properties if name in getattr(hint, "__required_keys__", properties)]
    about = (hint.__doc__ or "").strip().partition("\n")[0]
    return {"type": "object", "description": about, "properties": properties, "required": required}


def _union(alternatives: list[JSONObject]) -> JSONObject:
    """Return the schema of a union; for one plain type or null, `type` lists both."""
    null = {"type": "null"}
    others = [each for each in alternatives if each != null]
    if len(others) == 1 and null in alternatives and "type" in others[0]:
        known = others[0]
        enum = {"enum": [*known["enum"], None]} if "enum" in known else {}
        return {**known, "type": [known["type"], "null"], **enum}
    return {"anyOf": alternatives}
