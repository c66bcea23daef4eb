"""Who may do what by REST and on pages: every cell of the tables, each in a transaction that is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from tests.doors.matrix.doors import by_call, by_page, outcomes
from tests.doors.matrix.table import Row, cases
from tests.doors.matrix.ways import WAYS
from tests.doors.matrix.world import World


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(("kind", "action", "row"), cases(lambda action: bool(WAYS[action].call)))
def test_a_call_does_what_the_table_says(world: World, kind: str, action: str, row: Row) -> None:
    assert outcomes(by_call, world, kind, action, row, apart=undone) == row


@pytest.mark.parametrize(("kind", "action", "row"), cases(lambda action: bool(WAYS[action].page)))
def test_a_page_does_what_the_table_says(world: World, kind: str, action: str, row: Row) -> None:
    assert outcomes(by_page, world, kind, action, row, apart=undone) == row
