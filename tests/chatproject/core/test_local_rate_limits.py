"""Limits in the memory of a process."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from chatproject.core.local_rate_limits import Meter, Term
from chatproject.core.rate_limits import question
from chatproject.core.redis import redis

HOUR = 3_600_000.0


def term(key: str, quota: int = 3, cost: int = 1) -> Term:
    return Term(f"limit:test-meter-{key}", HOUR / quota, quota, cost)


@pytest.fixture
def meter() -> Meter:
    return Meter()


def test_the_quota_is_for_each_key_alone(meter: Meter) -> None:
    assert [meter.take([term("one")])[0] for _ in range(4)] == [1, 1, 1, 0]
    assert meter.take([term("other")])[0]


def test_several_limits_are_taken_from_together_or_not_at_all(meter: Meter) -> None:
    for _ in range(5):
        meter.take([term("small"), term("large", 10)])
    assert meter.take([term("large", 10)])[2] == 10 - 3 - 1


def test_what_is_given_back_is_there_again(meter: Meter) -> None:
    for _ in range(10):
        assert meter.take([term("one")])[0]
        assert meter.take([term("one", cost=-1)])[0]
    assert not len(meter)


def test_threads_at_once_get_exactly_the_quota(meter: Meter) -> None:
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: meter.take([term("crowd", 20)])[0], range(400)))
    assert sum(answers) == 20


def test_it_does_not_grow_beyond_its_bound_and_drops_the_emptiest_first() -> None:
    meter = Meter(most=100)
    for _ in range(3):
        meter.take([term("victim")])
    for number in range(1000):
        meter.take([term(f"flood-{number}")])
        assert len(meter) <= 100
    assert not meter.take([term("victim")])[0]


@pytest.mark.parametrize("seed", range(5))
def test_it_decides_as_the_script_in_redis_does(meter: Meter, seed: int) -> None:
    """With intervals of minutes, none a multiple of another, the time between the two answers makes no difference."""
    random = Random(seed)
    keys = [(f"{seed}-{quota}", quota) for quota in (3, 5, 7, 11)]
    for _ in range(100):
        chosen = random.sample(keys, random.randint(1, 3))
        terms = [term(key, quota, random.choice([-2, -1, 0, 1, 1, 2, 3])) for key, quota in chosen]
        here, there = meter.take(terms), redis().eval(*question(terms))
        # The waiting times differ by as much as passes between the two.
        assert list(here[:3]) == list(there[:3])
        assert [abs(one - other) < 60_000 for one, other in zip(here[3:], there[3:], strict=True)] == [True, True]
    redis().delete(*[term(key).key for key, _ in keys])
