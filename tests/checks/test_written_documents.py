"""The documents are what the code says, and say it of every route and frame; those for engineers name what is there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from django.conf import settings

from chatproject.management.commands.documents import DOCUMENTS
from messaging.socket.commands import Command
from messaging.socket.server_frames import ACKNOWLEDGED, SENT
from tests.checks.test_documents import events_in_code
from tests.support.frames import check

STOPPED = {"code": "unavailable", "detail": "This server stops."}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_the_code_says_and_nothing_in_it_is_doubtful(name: str) -> None:
    assert DOCUMENTS[name]() == (settings.BASE_DIR / "docs" / name).read_bytes(), "run `make docs`"


def test_every_frame_that_is_sent_is_declared_and_no_other() -> None:
    assert set(SENT) | {"ack"} == events_in_code()


def test_only_commands_are_acknowledged() -> None:
    assert ACKNOWLEDGED.keys() <= {kind.__struct_config__.tag for kind in get_args(Command)}


def test_a_frame_as_declared_passes() -> None:
    check({"type": "error", "ref": "1", "data": STOPPED})


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "error", "data": {**STOPPED, "more": 1}},
        {"type": "error", "data": {"code": "unavailable"}},
        {"type": "error", "data": {**STOPPED, "code": "bored"}},
        {"type": "error", "data": STOPPED, "more": 1},
        {"type": "resync", "ref": "1", "data": {}},
        {"type": "nonsense", "data": {}},
    ],
    ids=repr,
)
def test_a_frame_that_is_not_as_declared_fails(frame: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        check(frame)


# Documents that people write

WRITTEN = ("README.md", "docs/architecture.md", "docs/contributing.md")
ROOTS = "accounts|chatproject|conversations|messaging|tests|static|templates|docs|\\.ci"
CODE = re.compile(r"```.*?```|`([^`]+)`", re.DOTALL)
IDENTIFIER = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def text_of(name: str) -> str:
    return (settings.BASE_DIR / name).read_text()


def words_in(text: str) -> Iterator[str]:
    """Find the words that a text sets in code, without those in blocks."""
    for code in CODE.findall(text):
        yield from code.split()


def paths_in(text: str, folder: Path) -> Iterator[Path]:
    """Find the files and folders that a text names in code, links to, or shows."""
    for word in words_in(text):
        if re.fullmatch(rf"(?:{ROOTS})(?:/[\w.-]+)+", word):
            yield settings.BASE_DIR / word
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|src=\"([^\"]+)\"", text):
        yield folder / "".join(link)


@cache
def known_words() -> frozenset[str]:
    """All words of the code, and of the contract and the settings, which are held against the code elsewhere."""
    sources = [path for path in settings.BASE_DIR.glob("[acmt]*/**/*.py") if ".venv" not in path.parts]
    texts = [path.read_text() for path in sources] + [text_of("docs/protocol.md"), text_of("docs/operations.md")]
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


@pytest.mark.parametrize("name", WRITTEN)
def test_every_path_that_is_written_down_is_there(name: str) -> None:
    known = set(paths_in(text_of(name), (settings.BASE_DIR / name).parent))
    assert known, "nothing was found in it"
    assert sorted(str(path) for path in known if not path.exists()) == []


@pytest.mark.parametrize("name", WRITTEN)
def test_every_name_that_is_written_down_is_one_of_the_code(name: str) -> None:
    names = {word for word in words_in(text_of(name)) if IDENTIFIER.fullmatch(word) and re.search("[_.A-Z]", word)}
    unknown = [each for each in names if not known_words().issuperset(each.split("."))]
    assert [each for each in unknown if not (settings.BASE_DIR / each).exists()] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_every_target_of_make_that_is_written_down_is_there(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text_of(name), re.MULTILINE)) - targets == set()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_document_for_engineers_has_no_line_over_120_characters(name: str) -> None:
    # A picture has to be described in one line.
    long = [line for line in text_of(name).splitlines() if len(line) > 120 and "<img" not in line]
    assert long == []


def test_what_is_not_there_is_found() -> None:
    text = "`messaging/nowhere.py`, [a page](nowhere.md#part), `messaging/access.py`"
    missing = [path.name for path in paths_in(text, settings.BASE_DIR / "docs") if not path.exists()]
    assert missing == ["nowhere.py", "nowhere.md"]
