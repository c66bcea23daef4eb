"""Who may do what over the socket: every cell of the tables, at a server and for good."""

from contextlib import nullcontext

import pytest

from tests.doors.matrix.doors import Door, by_frame, outcomes
from tests.doors.matrix.table import Row, cases
from tests.doors.matrix.ways import WAYS
from tests.doors.matrix.world import World


@pytest.fixture(scope="module")
def door(world: World, request: pytest.FixtureRequest) -> Door:
    return by_frame(request.getfixturevalue("_uvicorn").url)


@pytest.mark.parametrize(("kind", "action", "row"), cases(lambda action: bool(WAYS[action].frame)))
def test_a_frame_does_what_the_table_says(world: World, door: Door, kind: str, action: str, row: Row) -> None:
    assert outcomes(door, world, kind, action, row, apart=nullcontext) == row
