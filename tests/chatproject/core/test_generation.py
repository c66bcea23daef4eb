"""The generation of the database: one number, which only grows."""

import time

import pytest
from django.db import IntegrityError, transaction

from chatproject.core.generation import current_generation, raise_generation
from chatproject.models import Generation

pytestmark = pytest.mark.django_db


def test_a_raise_gives_a_number_that_no_earlier_restore_of_the_same_backup_gave() -> None:
    began = int(time.time())
    assert raise_generation() >= began
    Generation.objects.update(number=began + 1000)
    assert raise_generation() == began + 1001


def test_two_raises_within_a_second_differ() -> None:
    assert raise_generation() < raise_generation() == current_generation()


@pytest.mark.parametrize("other", [{"id": 2, "number": 5}, {"id": 1, "number": 5}])
def test_there_is_no_second_generation(other: dict[str, int]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Generation.objects.create(**other)


def test_a_generation_is_never_below_the_first() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Generation.objects.update(number=0)
