"""JSON Schema out of Python types: of `TypedDict`s, of events, and of what they are made of."""

from collections import ChainMap
from collections.abc import Callable
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from chatproject.core.json_types import SchemaKeywords

JSONObject = dict[str, Any]
Component = Callable[[str, JSONObject], JSONObject]
"""Keeps a schema under a name, and gives the reference to it."""

PLAIN: dict[Any, JSONObject] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
}


def schema_of(hint: Any, component: Component) -> JSONObject:
    """Say what a value of this type looks like; what has a name of its own is kept as a component."""
    if hint in PLAIN:
        return PLAIN[hint]
    if is_typeddict(hint) or is_dataclass(hint):
        return component(_name(hint), _object(hint, component))
    inner = [schema_of(each, component) for each in get_args(hint) if not isinstance(each, SchemaKeywords)]
    looks = [dict(each.words) for each in get_args(hint) if isinstance(each, SchemaKeywords)]
    return _made_of(get_origin(hint), inner, looks)


def _made_of(origin: Any, inner: list[JSONObject], looks: list[JSONObject]) -> JSONObject:
    """Say what something looks like that is made of others."""
    if origin in {Union, UnionType}:
        return _either(inner)
    if origin is list:
        return {"type": "array", "items": inner[0]}
    if origin is dict:
        return {"type": "object", "additionalProperties": inner[1]}
    # What is left is annotated, or may be missing.
    return dict(ChainMap(*looks, inner[0]))


def _name(hint: Any) -> str:
    name: str = hint.__name__
    return name.removesuffix("JSON")


def _object(hint: Any, component: Component) -> JSONObject:
    """An object with the fields of a dictionary or of an event."""
    hints = {name: kind for name, kind in get_type_hints(hint, include_extras=True).items() if name[0] != "_"}
    fields = {name: kind for name, kind in hints.items() if get_origin(kind) is not ClassVar}
    properties = {name: schema_of(kind, component) for name, kind in fields.items()}
    required = [name for name in properties if name in getattr(hint, "__required_keys__", properties)]
    about = (hint.__doc__ or "").strip().partition("\n")[0]
    return {"type": "object", "description": about, "properties": properties, "required": required}


def _either(shapes: list[JSONObject]) -> JSONObject:
    """One of some shapes; a plain one that may be null says so by its type."""
    null = {"type": "null"}
    others = [each for each in shapes if each != null]
    if len(others) == 1 and null in shapes and "type" in others[0]:
        known = others[0]
        enum = {"enum": [*known["enum"], None]} if "enum" in known else {}
        return {**known, "type": [known["type"], "null"], **enum}
    return {"anyOf": shapes}
