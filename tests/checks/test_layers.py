"""Imports run one way: each room may import those that stand before it in this list, and nothing after it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "conversations", "messaging", "chatproject")

# From the bottom to the top. A room is a package, or a module that lies beside the packages of its app.
ROOMS = [
    "chatproject.environment",
    "chatproject.exposure",
    "chatproject.core",
    "chatproject.models",
    "chatproject.keys",
    "chatproject.server",
    "chatproject.rest",
    "accounts.apps",
    "accounts.hashers",
    "accounts.usernames",
    "accounts.signals",
    "accounts.changes",
    "accounts.mail",
    "accounts.models",
    "accounts.wallets",
    "accounts.people",
    "accounts.auth",
    "accounts.staff",
    "accounts.api",
    "accounts.web",
    "accounts.admin",
    "accounts.urls",
    "conversations.apps",
    "conversations.models",
    "conversations.change_log",
    "conversations.access",
    "conversations.last_seen_privacy",
    "conversations.avatars",
    "conversations.group_limits",
    "conversations.group_succession",
    "conversations.events",
    "conversations.versions",
    "conversations.notices",
    "conversations.permissions",
    "conversations.membership",
    "conversations.personal_settings",
    "conversations.creation",
    "conversations.groups",
    "conversations.invite_links",
    "conversations.contacts",
    "conversations.admin",
    "messaging.models",
    "messaging.said",
    "messaging.access",
    "messaging.presence",
    "messaging.retention",
    "messaging.media",
    "messaging.messages",
    "messaging.receipts",
    "messaging.sync",
    "messaging.moderation",
    "messaging.realtime",
    "messaging.socket",
    "messaging.api",
    "messaging.fast_reads",
    "messaging.web",
    "messaging.templatetags",
    "messaging.admin",
    "messaging.jobs",
    "messaging.followers",
    "messaging.management",
    "messaging.apps",
    "chatproject.embedded",
    "chatproject.settings",
    "chatproject.staff",
    "chatproject.specs",
    "chatproject.health",
    "chatproject.views",
    "chatproject.lifespan",
    "chatproject.checks",
    "chatproject.apps",
    "chatproject.management",
    "chatproject.urls",
    "chatproject.asgi",
    "chatproject.sockets",
    "chatproject.connections",
]
LEVEL_OF = {room: level for level, room in enumerate(ROOMS)}

# Which module may import which room of a later app, and why.
EXCEPTIONS = {
    ("conversations.notices", "messaging.messages"): "a notice is a message; this module is the one way to it",
    ("conversations.avatars", "messaging.media"): "a picture is an upload; this module is the one way to it",
    ("accounts.web.people", "conversations.contacts"): "the page of a person changes who may write to whom",
    ("accounts.web.people_forms", "conversations.contacts"): "so does the form that invites someone",
    ("accounts.web.settings_forms", "conversations.contacts"): "so do the forms about oneself",
    ("accounts.api.people", "conversations.contacts"): "so do the routes about oneself and others",
    ("accounts.admin", "messaging.moderation"): "what the staff does about a person reaches their messages and sockets",
    ("conversations.admin", "messaging.moderation"): "the staff reads and ends what is in a conversation",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    name_of(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts and name_of(path) not in PACKAGES
}


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def app_of(module: str) -> str:
    return module.partition(".")[0]


def imports_of(module: str) -> Iterator[str]:
    """Name the modules of ours that a module imports anywhere in its text."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            names = [inner if (inner := f"{origin}.{alias.name}") in MODULES else origin for alias in node.names]
        else:
            continue
        yield from (name for name in names if app_of(name) in PACKAGES)


def _origin(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    above = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def is_allowed(module: str, imported: str) -> bool:
    """Tell whether a module may import another one: from its own room, or from one before it."""
    here, there = LEVEL_OF.get(room_of(module)), LEVEL_OF.get(room_of(imported))
    if here is None or there is None:
        return False
    return there <= here or (module, room_of(imported)) in EXCEPTIONS


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_room_and_imports_nothing_from_a_later_one(module: str) -> None:
    assert room_of(module) in LEVEL_OF, f"give the room of {module} a place in this list"
    assert [imported for imported in imports_of(module) if not is_allowed(module, imported)] == []


def test_the_list_names_nothing_that_is_not_there() -> None:
    assert {room_of(module) for module in MODULES} == LEVEL_OF.keys()


def test_every_exception_is_needed_and_they_are_few() -> None:
    used = {(module, room_of(imported)) for module in MODULES for imported in imports_of(module)}
    assert EXCEPTIONS.keys() - used == set()
    assert len(EXCEPTIONS) <= 10


@pytest.mark.parametrize("room", [name for name, path in MODULES.items() if path.name == "__init__.py"])
def test_a_room_says_what_lives_in_it(room: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[room].read_text())), f"{room} has no docstring"


def test_the_embedded_engines_know_nothing_of_the_application() -> None:
    embedded = [module for module in MODULES if module.startswith("chatproject.embedded")]
    known = {imported for module in embedded for imported in imports_of(module)}
    assert {name for name in known if not name.startswith("chatproject.embedded")} == {
        "chatproject.environment",
        "chatproject.exposure",
    }


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("messaging.messages.append", "messaging.sync.inbox"),
        ("accounts.models", "accounts.auth.sessions"),
        ("accounts.api.auth", "messaging.api.messages"),
        ("conversations.creation", "messaging.messages.send"),
        ("chatproject.core.redis", "accounts.models"),
        ("messaging.api.messages", "chatproject.specs.openapi"),
        ("accounts.nowhere", "accounts.models"),
    ],
)
def test_this_check_sees_what_is_wrong(module: str, imported: str) -> None:
    assert not is_allowed(module, imported)
