"""Cursors: of one list, and of one generation of the database."""

from typing import Any

import pytest
from django.core import signing

from chatproject.core.generation import raise_generation, remember_generation
from chatproject.core.pagination import BadCursor, OldCursor, read_cursor, write_cursor
from chatproject.models import Generation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("position", [7, "alice", [True, "2026-01-31", "id"], {"generation": 7}, None])
def test_a_cursor_leads_back_to_its_position(position: Any) -> None:
    assert read_cursor(write_cursor(position, salt="list"), salt="list") == position


def test_a_cursor_from_before_a_restore_is_old() -> None:
    cursor = write_cursor(7, salt="list")
    raise_generation()
    with pytest.raises(OldCursor) as refusal:
        read_cursor(cursor, salt="list")
    assert (refusal.value.status, refusal.value.code, refusal.value.pointer) == (410, "gone", "/cursor")


def test_a_cursor_of_a_later_generation_is_old_too_because_the_database_was_put_back_behind_it() -> None:
    with pytest.raises(OldCursor):
        read_cursor(write_cursor(7, salt="list", generation=2), salt="list")


@pytest.mark.parametrize("position", [7, "alice", [True, "2026-01-31", "id"]])
def test_a_cursor_of_a_release_without_generations_is_of_the_first(position: Any) -> None:
    Generation.objects.update(number=1)
    former = signing.dumps(position, salt="list")
    assert read_cursor(former, salt="list") == position
    raise_generation()
    with pytest.raises(OldCursor):
        read_cursor(former, salt="list")


@pytest.mark.parametrize(
    "spoil", [lambda cursor: cursor + "A", lambda cursor: f"x{cursor}", lambda _: "", lambda _: "\0"]
)
def test_a_cursor_that_was_altered_is_bad_whatever_its_generation(spoil: Any) -> None:
    with pytest.raises(BadCursor):
        read_cursor(spoil(write_cursor(7, salt="list", generation=99)), salt="list")


def test_a_process_that_watches_the_generation_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    remember_generation(5, seconds=60)
    try:
        with django_assert_num_queries(0):
            assert read_cursor(write_cursor(7, salt="list"), salt="list") == 7
        with pytest.raises(OldCursor):
            read_cursor(write_cursor(7, salt="list", generation=4), salt="list")
    finally:
        remember_generation(0, seconds=0)
