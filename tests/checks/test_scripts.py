"""The page's scripts import one way: a room may import those before it in the list of main.js, and none after it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

SCRIPTS = Path(settings.BASE_DIR) / "static/js"
IMPORT = re.compile(r"""(?:^import\s|\bfrom\s|\bimport\()\s*["'](?P<path>[^"']+)["']""", re.MULTILINE)

# The comment at the top of main.js lists the rooms, from the bottom to the top. A room is a folder of static/js.
ROOMS = re.findall(r"^//   (\w+) {2,}\w", (SCRIPTS / "main.js").read_text(), re.MULTILINE)
# Modules that lie beside the rooms: each puts a page together and may import everything.
PAGES = {"main.js", "conversation.js", "api-docs.js"}
# Which module may import which later room, and why.
EXCEPTIONS: dict[tuple[str, str], str] = {}

LEVELS = {room: level for level, room in enumerate(ROOMS)}
MODULES = {str(path.relative_to(SCRIPTS)): path for path in sorted(SCRIPTS.rglob("*.js"))}


def room_of(module: str) -> str:
    return module.partition("/")[0]


def imports_of(module: str) -> list[str]:
    """Name the modules of ours that a module imports; those of others are in static/vendor."""
    path = MODULES[module]
    found = [(path.parent / each["path"]).resolve() for each in IMPORT.finditer(path.read_text())]
    return [str(each.relative_to(SCRIPTS)) for each in found if each.is_relative_to(SCRIPTS)]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - PAGES))
def test_a_script_has_a_room_and_imports_nothing_from_a_later_one(module: str) -> None:
    room = room_of(module)
    assert room in ROOMS, f"list the room of {module} at the top of main.js"
    for imported in imports_of(module):
        assert imported in MODULES, f"{module} imports {imported}, which is not there"
        assert imported not in PAGES, f"{module} imports a page"
        is_before = LEVELS[room_of(imported)] <= LEVELS[room]
        assert is_before or (module, room_of(imported)) in EXCEPTIONS, f"{module} imports {imported}"


@pytest.mark.parametrize("module", sorted(PAGES))
def test_a_page_imports_what_there_is(module: str) -> None:
    assert set(imports_of(module)) <= MODULES.keys()


def test_every_script_is_on_a_page() -> None:
    templates = "".join(path.read_text() for path in Path(settings.BASE_DIR).glob("templates/**/*.html"))
    pending = [module for module in MODULES if f'"js/{module}"' in templates]
    used = set(pending)
    while pending:
        pending += (new := [each for each in imports_of(pending.pop()) if each not in used])
        used.update(new)
    assert MODULES.keys() - used == set()


def test_every_room_is_there() -> None:
    assert {room_of(module) for module in MODULES.keys() - PAGES} == set(ROOMS)


def test_every_exception_is_used() -> None:
    used = {(module, room_of(imported)) for module in MODULES for imported in imports_of(module)}
    assert EXCEPTIONS.keys() - used == set()
