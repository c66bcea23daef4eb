"""Ids of version 7, and the time they carry."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chatproject.core.ids import first_id_at, id_time, parse_uuid7, uuid7

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 123000, tzinfo=UTC)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize("text", [ID, ID.upper()])
def test_a_version_7_id_is_read(text: str) -> None:
    assert parse_uuid7(text) == UUID(ID)


@pytest.mark.parametrize(
    "text", ["", "7", str(uuid4()), ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}", f" {ID}", ID[:-1]]
)
def test_anything_else_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_uuid7(text)


def test_an_id_carries_the_time_it_was_made() -> None:
    assert abs(datetime.now(UTC) - id_time(uuid7())) < timedelta(seconds=1)
    assert id_time(first_id_at(MOMENT)) == MOMENT


def test_an_id_beyond_all_time_carries_its_end() -> None:
    assert id_time(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")).year == 9999


def test_the_first_id_at_a_time_sorts_between_earlier_and_later_ids() -> None:
    before = first_id_at(MOMENT - timedelta(milliseconds=1)).int | (1 << 80) - 1
    assert UUID(int=before) < first_id_at(MOMENT) < UUID(int=first_id_at(MOMENT).int | 0x7 << 76 | 0b10 << 62)


def test_ids_made_one_after_the_other_sort_in_that_order() -> None:
    made = [uuid7() for _ in range(1000)]
    assert made == sorted(made)
