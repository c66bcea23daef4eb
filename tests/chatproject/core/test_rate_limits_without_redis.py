"""Limits while Redis does not answer: guards keep limiting in the process, the others let pass."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import MaxConnectionsError
from redis.exceptions import TimeoutError as TookTooLong

from chatproject.core.rate_limits import Limit, consume, refund
from chatproject.core.rate_limits.outage import Outage
from tests.support.redis import empty_redis, redis_at, without_redis

GUARD = Limit("test-guard", 3, 3600, guards=True)
WIDE = Limit("test-guard-wide", 10, 3600, guards=True)
USUAL = Limit("test-usual", 3, 3600)


@pytest.fixture(autouse=True)
def _limited(settings) -> Iterator[None]:
    settings.CHAT_LIMITS = True
    yield
    empty_redis()


@pytest.fixture
def subject() -> str:
    return uuid4().hex


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def attempts(limit: Limit, subject: str, *, number: int = 5) -> list[bool]:
    return [consume([(limit, subject)]).allowed for _ in range(number)]


def test_guards_keep_limiting_and_other_quotas_let_pass(subject) -> None:
    with without_redis():
        assert attempts(GUARD, subject) == [True] * 3 + [False] * 2
        assert attempts(USUAL, subject) == [True] * 5


def test_several_limits_are_charged_together_or_not_at_all(subject) -> None:
    with without_redis():
        for _ in range(5):
            consume([(GUARD, subject), (WIDE, subject)])
        assert consume([(WIDE, subject)]).remaining == 10 - 3 - 1


def test_many_at_once_get_exactly_the_quota(subject) -> None:
    with without_redis(), ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda _: consume([(WIDE, subject)]).allowed, range(60)))
    assert sum(answers) == 10


def test_counts_are_kept_when_redis_is_back(subject) -> None:
    with without_redis():
        attempts(GUARD, subject)
    assert not consume([(GUARD, subject)]).allowed
    assert consume([(GUARD, subject + "x")]).allowed


def test_a_redis_that_comes_and_goes_gives_away_at_most_one_more_quota(subject) -> None:
    allowed = sum(attempts(GUARD, subject))
    for _ in range(5):
        with without_redis():
            allowed += sum(attempts(GUARD, subject))
        allowed += sum(attempts(GUARD, subject))
    assert allowed == 2 * GUARD.quota


def test_a_refund_goes_where_the_cost_was_counted(subject) -> None:
    with without_redis():
        here = consume([(GUARD, subject)])
    there = consume([(GUARD, subject)])
    refund(here)
    # Nothing is left here, so only Redis counts: one of three is used.
    assert consume([(GUARD, subject)]).remaining == 1
    refund(there)
    assert consume([(GUARD, subject)]).remaining == 1


def test_a_refusal_here_takes_nothing_in_redis(subject) -> None:
    with without_redis():
        attempts(GUARD, subject)
    for _ in range(5):
        consume([(GUARD, subject), (WIDE, subject)])
    assert consume([(WIDE, subject)]).remaining == 9


def test_one_slow_call_begins_no_outage_and_the_second_in_a_row_does() -> None:
    began = time.monotonic()
    for _ in range(10):
        # Calls that ran at the same time, as when the whole process was paused.
        Outage.record_failure(TookTooLong(), began=began)
    assert not Outage.is_active()
    Outage.record_failure(TookTooLong(), began=time.monotonic())
    assert Outage.is_active()


def test_an_answer_between_two_slow_calls_takes_the_suspicion_back() -> None:
    for _ in range(5):
        Outage.record_failure(TookTooLong(), began=time.monotonic())
        Outage.record_success()
    assert not Outage.is_active()


def test_that_all_connections_are_in_use_begins_no_outage() -> None:
    for _ in range(3):
        Outage.record_failure(MaxConnectionsError(), began=time.monotonic())
    assert not Outage.is_active()


def test_a_lost_connection_begins_an_outage_at_once() -> None:
    Outage.record_failure(Disconnected(), began=time.monotonic())
    assert Outage.is_active()


@pytest.mark.long
def test_a_redis_that_never_answers_delays_two_calls_and_guards_keep_limiting(subject, silent) -> None:
    with redis_at(silent):
        began = time.monotonic()
        assert consume([(GUARD, subject)]).allowed
        assert not Outage.is_active()
        # Two seconds, and not several times that.
        assert time.monotonic() - began < 7
        assert consume([(GUARD, subject)]).allowed
        assert Outage.is_active()
        assert attempts(GUARD, subject, number=2) == [True, False]
