"""Documents against code: what is promised is there, and what is there is promised."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from django.urls import URLPattern, get_resolver

from chatproject.core.realtime import Event
from messaging.socket import commands

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = (ROOT / "docs/protocol.md").read_text() if (ROOT / "docs/protocol.md").exists() else ""
OPERATIONS = (ROOT / "docs/operations.md").read_text()
PACKAGES = ("accounts", "chatproject", "conversations", "messaging")
METHODS = ("get", "post", "put", "patch", "delete")


def sources(*places: str) -> Iterator[ast.AST]:
    """Every node of the code in some packages or files."""
    for place in places:
        path = ROOT / place
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            yield from ast.walk(ast.parse(file.read_text()))


# Routes


def routes_in_code() -> set[str]:
    """`METHOD /path/{}` for everything that is served below /api/v1."""
    return {f"{method} /{path}" for path, view in _patterns(get_resolver().url_patterns) for method in _methods(view)}


def _patterns(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            if path.startswith("api/v1/"):
                yield re.sub(r"<[^>]+>", "{}", path.removeprefix("api/v1/")), each.callback
        else:
            yield from _patterns(each.url_patterns, path)


def _methods(view: Any) -> list[str]:
    """The methods of a view set's route, or of a single view of Django REST framework."""
    known = getattr(view, "actions", None) or view.cls.http_method_names
    return [method.upper() for method in METHODS if method in known]


def routes_in_document() -> set[str]:
    spans = re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^\s`?]*)", PROTOCOL)
    return {f"{method} {re.sub(r'{[^}]+}', '{}', path.removeprefix('/api/v1'))}" for method, path in spans}


def test_the_contract_names_every_route_and_no_other() -> None:
    code, document = routes_in_code(), routes_in_document()
    assert code - document == set(), "routes that the contract does not name"
    assert document - code == set(), "routes that are not there"


# Frames


def commands_in_code() -> set[str]:
    return {str(kind.__struct_config__.tag) for kind in get_args(commands.Command)}


def events_in_code() -> set[str]:
    """The types of the events, and those of the frames that are written down as they are."""
    written = {
        value.value
        for node in sources(*PACKAGES)
        if isinstance(node, ast.Call) and _is_named(node.func, "encode") and node.args
        if isinstance(node.args[0], ast.Dict)
        for key, value in zip(node.args[0].keys, node.args[0].values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "type" and isinstance(value, ast.Constant)
    }
    return {str(name) for name in written} | {kind.type for kind in _kinds_of(Event)}


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _kinds_of(kind: type[Event]) -> Iterator[type[Event]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds_of(below)


def first_column(title: str) -> set[str]:
    """The code in the first column of the table behind a title of the contract."""
    table = re.search(rf"\*\*{title}\*\*(?s:.*?)\n((?:\|.*\n)+)", PROTOCOL)
    rows = table[1].splitlines()[2:] if table else []
    return {span for row in rows for span in re.findall(r"`([^`]+)`", row.split("|")[1])}


def events_in_document() -> set[str]:
    """The table of events, and the frames shown in full."""
    return first_column("Events") | set(re.findall(r'{"type":"([a-z_.]+)"', PROTOCOL)) - first_column("Commands")


def test_the_contract_names_every_command_of_the_socket_and_no_other() -> None:
    assert first_column("Commands") == commands_in_code()


def test_the_contract_names_every_frame_that_is_sent_and_no_other() -> None:
    assert events_in_document() == events_in_code()


# Settings


def variables_in_code() -> set[str]:
    """Every variable of the environment that the settings or the embedded engines read."""
    return set(
        _variables(
            sources(
                "chatproject/settings.py",
                "chatproject/environment.py",
                "chatproject/exposure.py",
                "chatproject/embedded",
            )
        )
    )


def _variables(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Subscript) and _is_environment(node.value):
            asked: list[ast.expr] = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_environment(node.func.value):
            asked = node.args[:1]
        elif isinstance(node, ast.Call) and node.args and _is_environment(node.args[0]):
            asked = node.args[1:2]
        elif isinstance(node, ast.Assign) and any(_is_named(target, "variable") for target in node.targets):
            asked = [node.value]
        else:
            continue
        yield from (one.value for one in asked if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _is_environment(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in {"env", "environ", "_environ"}


def test_every_variable_that_is_read_can_be_looked_up() -> None:
    spans = set(re.findall(r"[A-Z][A-Z0-9_]+", " ".join(re.findall(r"`([^`\n]+)`", OPERATIONS))))
    assert "CHAT_VAR" in variables_in_code()
    assert variables_in_code() - spans == set(), "variables that docs/operations.md does not name"
