"""The documents are what the code says, and say it of every route and frame."""

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
