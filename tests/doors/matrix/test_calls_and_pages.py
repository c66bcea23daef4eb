"""Who may do what by REST and on pages: every cell of the tables, each in a transaction that is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from tests.doors.matrix.doors import by_call, by_page
from tests.doors.matrix.table import Case, cases
from tests.doors.matrix.verdict import found, wanted
from tests.doors.matrix.ways import WAYS
from tests.doors.matrix.world import World

pytestmark = pytest.mark.long

DOORS = {"call": by_call, "page": by_page}


@contextmanager
def undone() -> Iterator[None]:
    around = transaction.atomic()
    # Whatever is called here believes to be outside of a transaction, as it is for the people it serves.
    around._from_testcase = True
    with around:
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("case", cases(*DOORS))
def test_calls_and_pages_do_what_the_table_says(world: World, case: Case) -> None:
    _, action, _ = case
    doors = {name: DOORS[name] for name in WAYS[action].at(*DOORS)}
    assert found(doors, world, case, apart=undone) == wanted(doors, case)
