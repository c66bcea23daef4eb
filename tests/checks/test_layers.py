"""Imports run down the layers, whatever the app; within one layer only from messaging to conversations to accounts."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accounts", "conversations", "messaging", "chatproject")

# From the bottom to the top. A name stands for a module, or for a package with all that is in it.
LAYERS = {
    "helpers": """
        messaging.examining messaging.media_types messaging.richtext messaging.sizes
        accounts.eip4361 accounts.ethereum accounts.ids accounts.nonces accounts.usernames
        chatproject.about chatproject.addresses chatproject.cache chatproject.charts chatproject.database
        chatproject.environment chatproject.exposure chatproject.graphemes chatproject.jsonschema chatproject.limits
        chatproject.logs chatproject.meter chatproject.metrics chatproject.names chatproject.pages
        chatproject.postgresql chatproject.redis chatproject.sessions chatproject.shapes chatproject.sockets
    """,
    "models, fields": """
        accounts.apps accounts.devices accounts.hashers accounts.languages accounts.models accounts.privacy
        conversations.apps conversations.models
        messaging.apps messaging.fields messaging.models messaging.partitions
    """,
    "access": """
        conversations.access conversations.sight
        messaging.access messaging.attachments messaging.objects messaging.scanning
    """,
    "events, realtime": """
        accounts.profiles accounts.realtime
        conversations.events
        messaging.events messaging.layer messaging.passing messaging.receipts
    """,
    "log": """
        conversations.changes
        messaging.append messaging.changes messaging.connection messaging.gathering messaging.lane messaging.log
        messaging.marks messaging.mentions messaging.notices
    """,
    "commands": """
        accounts.attempts accounts.commands accounts.confirmation accounts.factor_secrets accounts.factors
        accounts.moderation accounts.people accounts.service accounts.staff accounts.wallets
        conversations.closing conversations.commands conversations.contacts conversations.groups conversations.links
        conversations.members conversations.places conversations.rights conversations.service conversations.wallets
        messaging.clearing messaging.commands messaging.edits messaging.forwarding messaging.media
        messaging.moderation messaging.reactions messaging.reports messaging.retention messaging.slots
        messaging.taking messaging.turns
    """,
    "hub, sync, inbox": """
        accounts.directory
        conversations.directory
        messaging.audit messaging.connected messaging.following messaging.hearing messaging.hub messaging.inbox
        messaging.inspection messaging.missed messaging.outgoing messaging.overview messaging.reported
        messaging.pace messaging.presence messaging.receipts_heard messaging.registry messaging.replay
        messaging.settled messaging.snapshots messaging.status messaging.sync messaging.typists messaging.watching
        messaging.whereabouts
    """,
    "tokens": """
        accounts.adapter accounts.mail accounts.middleware accounts.tickets accounts.tokens
    """,
    "serializers, forms, protocol": """
        accounts.forms accounts.forms_entrance accounts.serializers
        chatproject.api chatproject.bounds chatproject.compression chatproject.connections chatproject.documents
        chatproject.etags chatproject.fields chatproject.middleware chatproject.problems chatproject.wire
        conversations.forms conversations.forms_group conversations.serializers
        messaging.forms messaging.frames messaging.lines messaging.pieces messaging.protocol messaging.rows
        messaging.serializers messaging.standings messaging.words
    """,
    "doors": """
        accounts.admin accounts.api accounts.api_people accounts.api_wallet accounts.reading accounts.urls
        accounts.views accounts.views_confirm accounts.views_factors accounts.views_people accounts.views_settings
        accounts.views_wallet
        chatproject.health chatproject.staffsite chatproject.views
        conversations.admin conversations.api conversations.api_groups conversations.urls conversations.views
        conversations.info conversations.views_info conversations.views_join
        messaging.admin messaging.api messaging.api_media messaging.api_reports messaging.api_staff messaging.api_sync
        messaging.consumers
        messaging.jobs messaging.management messaging.obey messaging.routing messaging.urls messaging.views
        messaging.views_forward messaging.views_message messaging.views_report messaging.views_staff
    """,
    "assembly": """
        chatproject.apps chatproject.asgi chatproject.asyncapi chatproject.checks chatproject.embedded
        chatproject.lifespan chatproject.management chatproject.openapi
        chatproject.settings chatproject.urls
    """,
}
LAYER_OF = {name: level for level, names in enumerate(LAYERS.values()) for name in names.split()}
# Within one layer: each may import those before it.
APPS = ("chatproject", "accounts", "conversations", "messaging")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {
    name_of(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts and path.stat().st_size
}


def app_of(module: str) -> str:
    return module.partition(".")[0]


def level_of(module: str) -> int | None:
    """Find a module's layer, or its package's."""
    known = [LAYER_OF[name] for name in (module, *_packages_of(module)) if name in LAYER_OF]
    return known[0] if known else None


def _packages_of(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(len(parts) - 1, 1, -1)]


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
    """Tell whether a module may import another one: from a lower layer, or from an earlier app in its own."""
    here, there = level_of(module), level_of(imported)
    if here is None or there is None or here != there:
        return here is not None and there is not None and there < here
    return APPS.index(app_of(imported)) <= APPS.index(app_of(module))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_layer_and_imports_nothing_from_above(module: str) -> None:
    assert level_of(module) is not None, f"give {module} a layer in this table"
    assert [imported for imported in imports_of(module) if not is_allowed(module, imported)] == []


def test_the_table_names_nothing_that_is_not_there() -> None:
    there = MODULES.keys() | {package for module in MODULES for package in _packages_of(module)}
    assert LAYER_OF.keys() - there == set()


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
        ("messaging.log", "messaging.commands"),
        ("accounts.models", "accounts.commands"),
        ("accounts.api", "messaging.api"),
        ("conversations.commands", "messaging.commands"),
        ("messaging.inbox", "messaging.views"),
        ("accounts.nowhere", "accounts.models"),
    ],
)
def test_this_check_sees_what_is_wrong(module: str, imported: str) -> None:
    assert not is_allowed(module, imported)
