"""Rate limits, in a real Redis."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from chatproject.core.rate_limits import Limit, RateLimited, consume, consume_unchecked, require
from chatproject.core.redis import redis

SLOW = Limit("test-slow", 3, 3600)
BURSTY = Limit("test-bursty", 50, 1, burst=5)


@pytest.fixture(autouse=True)
def _limited(settings) -> Iterator[None]:
    settings.CHAT_LIMITS = True
    yield
    for key in redis().scan_iter("limit:test-*"):
        redis().delete(key)


@pytest.fixture
def subject() -> str:
    return uuid4().hex


def test_the_quota_is_for_each_subject_alone(subject) -> None:
    assert [consume([(SLOW, subject)]).allowed for _ in range(4)] == [True, True, True, False]
    assert consume([(SLOW, "someone else")]).allowed


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.5", "203.0.113.5", True),
        ("203.0.113.5", "203.0.113.6", False),
    ],
)
def test_addresses_of_one_network_are_one_subject(one: str, other: str, are_one: bool) -> None:
    assert (SLOW.key(one) == SLOW.key(other)) is are_one


def test_a_refusal_says_when_to_come_back(subject) -> None:
    for _ in range(3):
        consume([(SLOW, subject)])
    with pytest.raises(RateLimited) as refused:
        require([(SLOW, subject)])
    assert 1100 <= refused.value.verdict.retry_after <= 1200
    assert refused.value.verdict.headers()["Retry-After"] == str(refused.value.verdict.retry_after)


def test_the_remaining_quota_is_returned(subject) -> None:
    assert [consume([(SLOW, subject)]).remaining for _ in range(3)] == [2, 1, 0]
    assert consume([(SLOW, subject + "x")]).headers()["RateLimit-Policy"] == '"test-slow";q=3;w=3600'


def test_a_refusal_by_one_limit_takes_nothing_from_the_other(subject) -> None:
    other = Limit("test-other", 10, 3600)
    for _ in range(5):
        consume([(SLOW, subject), (other, subject)])
    assert consume([(other, subject)]).remaining == 10 - 3 - 1


def test_a_cost_of_zero_consumes_nothing(subject) -> None:
    for _ in range(10):
        assert consume([(SLOW, subject)], cost=0).allowed
    assert consume([(SLOW, subject)]).remaining == 2


def test_a_quota_is_refilled_evenly(subject) -> None:
    while consume([(BURSTY, subject)]).allowed:
        pass
    time.sleep(0.05)
    assert consume([(BURSTY, subject)]).allowed


def test_many_at_once_get_exactly_the_quota(subject) -> None:
    limit = Limit("test-crowd", 20, 3600)
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: consume([(limit, subject)]).allowed, range(60)))
    assert sum(answers) == 20


def test_no_subject_can_be_read_in_redis(subject) -> None:
    consume([(SLOW, "alice")])
    assert not [key for key in redis().scan_iter("limit:test-*") if b"alice" in key]


def test_limits_can_be_off(subject, settings) -> None:
    settings.CHAT_LIMITS = False
    assert all(consume([(SLOW, subject)]).allowed for _ in range(10))


def test_what_another_release_has_counted_in_another_form_counts_as_nothing(subject) -> None:
    redis().set(SLOW.key(subject), "v2:3")
    assert [consume([(SLOW, subject)]).allowed for _ in range(4)] == [True, True, True, False]
    redis().set(SLOW.key(subject), "v2:3")
    consume_unchecked([(SLOW, subject)], cost=3)
    assert not consume([(SLOW, subject)]).allowed
