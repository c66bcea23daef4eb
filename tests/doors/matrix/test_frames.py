"""Who may do what over the socket: every cell of the tables, at a server and for good."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.doors.matrix.doors import Door, Sockets
from tests.doors.matrix.table import Case, cases
from tests.doors.matrix.verdict import found, wanted
from tests.doors.matrix.world import World


@pytest.fixture(scope="module")
def door(world: World, request: pytest.FixtureRequest) -> Iterator[Door]:
    sockets = Sockets(request.getfixturevalue("_uvicorn").url)
    yield sockets
    sockets.close()


@pytest.mark.parametrize("case", cases("frame"))
def test_a_frame_does_what_the_table_says(world: World, door: Door, case: Case) -> None:
    assert found({"frame": door}, world, case, apart=nullcontext) == wanted(["frame"], case)
