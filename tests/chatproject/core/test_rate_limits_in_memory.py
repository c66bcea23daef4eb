"""Limits in the memory of a process."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from chatproject.core.rate_limits.limit import Consumption
from chatproject.core.rate_limits.memory import MemoryCounter
from chatproject.core.rate_limits.script import call_of
from chatproject.core.redis import redis

HOUR = 3_600_000.0


def use(key: str, quota: int = 3, cost: int = 1) -> Consumption:
    return Consumption(f"limit:test-memory-{key}", HOUR / quota, quota, cost)


@pytest.fixture
def counter() -> MemoryCounter:
    return MemoryCounter()


def test_the_quota_is_for_each_key_alone(counter: MemoryCounter) -> None:
    assert [counter.consume([use("one")])[0] for _ in range(4)] == [1, 1, 1, 0]
    assert counter.consume([use("other")])[0]


def test_several_limits_are_charged_together_or_not_at_all(counter: MemoryCounter) -> None:
    for _ in range(5):
        counter.consume([use("small"), use("large", 10)])
    assert counter.consume([use("large", 10)])[2] == 10 - 3 - 1


def test_a_refunded_quota_is_available_again(counter: MemoryCounter) -> None:
    for _ in range(10):
        assert counter.consume([use("one")])[0]
        assert counter.consume([use("one", cost=-1)])[0]
    assert not len(counter)


def test_threads_at_once_get_exactly_the_quota(counter: MemoryCounter) -> None:
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda _: counter.consume([use("crowd", 20)])[0], range(400)))
    assert sum(answers) == 20


def test_it_does_not_grow_beyond_its_bound_and_drops_the_emptiest_first() -> None:
    counter = MemoryCounter(max_keys=100)
    for _ in range(3):
        counter.consume([use("victim")])
    for number in range(1000):
        counter.consume([use(f"flood-{number}")])
        assert len(counter) <= 100
    assert not counter.consume([use("victim")])[0]


@pytest.mark.parametrize("seed", range(5))
def test_it_decides_as_the_script_in_redis_does(counter: MemoryCounter, seed: int) -> None:
    """With intervals of minutes, none a multiple of another, the time between the two answers makes no difference."""
    random = Random(seed)
    keys = [(f"{seed}-{quota}", quota) for quota in (3, 5, 7, 11)]
    for _ in range(100):
        chosen = random.sample(keys, random.randint(1, 3))
        uses = [use(key, quota, random.choice([-2, -1, 0, 1, 1, 2, 3])) for key, quota in chosen]
        here, there = counter.consume(uses), redis().eval(*call_of(uses))
        # The waiting times differ by as much as passes between the two.
        assert list(here[:3]) == list(there[:3])
        assert [abs(one - other) < 60_000 for one, other in zip(here[3:], there[3:], strict=True)] == [True, True]
    redis().delete(*[use(key).key for key, _ in keys])
