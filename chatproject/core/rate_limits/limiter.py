"""Consumes from rate limits: in Redis, and while Redis does not answer, in the memory of this process.

While Redis does not answer, limits that keep attackers out (`guards`) are counted in the memory of each process, and
all others are not counted: a chat that stops because it cannot count would be the worse failure. When Redis is back,
what was counted in memory goes on counting until it has drained, so that an interrupted Redis gives away no more than
one quota in each process.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from itertools import compress

from django.conf import settings
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from chatproject.core.rate_limits.limit import Buckets, Consumption, Cost, Limit, RateLimited, Reply, Verdict
from chatproject.core.rate_limits.memory import MemoryCounter
from chatproject.core.rate_limits.outage import Outage
from chatproject.core.rate_limits.script import CONSUME_UNCHECKED, call_of
from chatproject.core.redis import redis

TIMEOUT_SECONDS = 2.0
"""Seconds that asynchronous code waits for Redis; `core/redis.py` says how long threads wait."""
MEMORY = MemoryCounter()
"""What is counted in the memory of this process."""


def consume(buckets: Buckets, *, cost: Cost = 1) -> Verdict:
    """Consume from all buckets, or from none if one has no room; a cost of 0 only asks whether one use would fit."""
    if not settings.CHAT_LIMITS:
        return _allow_uncounted(buckets)
    consumptions = _consumptions_of(buckets, cost)
    guards = [limit.guards for limit, _ in buckets]
    if Outage.is_active():
        return _consume_in_memory(buckets, consumptions, guards) or _allow_uncounted(buckets)
    began = time.monotonic()
    try:
        verdict = _verdict_of(buckets, redis().eval(*call_of(consumptions)), in_redis=consumptions)
    except RedisError as error:
        Outage.record_failure(error, began=began)
        return _consume_in_memory(buckets, consumptions, guards) or _allow_uncounted(buckets)
    Outage.record_success()
    return _consume_remainder(buckets, consumptions, verdict) if verdict.allowed else verdict


async def consume_async(client: AsyncRedis, buckets: Buckets, *, cost: int = 1) -> Verdict:
    """Like `consume`, for code on the event loop and limits without `guards`: during an outage it allows everything."""
    if not settings.CHAT_LIMITS or Outage.is_active():
        return _allow_uncounted(buckets)
    consumptions, began = _consumptions_of(buckets, cost), time.monotonic()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            verdict = _verdict_of(buckets, await client.eval(*call_of(consumptions)), in_redis=consumptions)
    except (RedisError, OSError, TimeoutError) as error:
        Outage.record_failure(error, began=began)
        return _allow_uncounted(buckets)
    Outage.record_success()
    return verdict


def consume_unchecked(buckets: Buckets, *, cost: int) -> None:
    """Consume for something that has been allowed and turned out to cost more; this never refuses."""
    if not settings.CHAT_LIMITS or Outage.is_active():
        return
    keys, began = [limit.key(subject) for limit, subject in buckets], time.monotonic()
    try:
        redis().eval(CONSUME_UNCHECKED, len(keys), *keys, cost, *[limit.interval for limit, _ in buckets])
    except RedisError as error:
        Outage.record_failure(error, began=began)


def require(buckets: Buckets, *, cost: Cost = 1) -> Verdict:
    """Like `consume`, but raise RateLimited where there is no room."""
    return allowed_or_refused(consume(buckets, cost=cost))


def allowed_or_refused(verdict: Verdict) -> Verdict:
    """Return a verdict that allows something; raise RateLimited for one that does not."""
    if not verdict.allowed:
        raise RateLimited(verdict)
    return verdict


def refund(verdict: Verdict) -> None:
    """Give back what was consumed, in Redis and in memory."""
    if in_memory := _reversed(verdict.in_memory):
        MEMORY.consume(in_memory)
    if in_redis := _reversed(verdict.in_redis):
        with suppress(RedisError):
            redis().eval(*call_of(in_redis))


_last_charge: ContextVar[Verdict | None] = ContextVar("last_charge", default=None)


@contextmanager
def charged(person_id: object, *costs: tuple[Limit, int]) -> Iterator[Verdict]:
    """Consume what a command costs a person before it begins, so that no lock waits for Redis; refund it if it fails.

    RateLimited if one of the limits has no room for its cost. The API shows the limit in its answer.
    """
    due = [(limit, cost) for limit, cost in costs if cost > 0]
    if not due:
        yield _allow_uncounted([(limit, person_id) for limit, _ in costs])
        return
    verdict = require([(limit, person_id) for limit, _ in due], cost=[cost for _, cost in due])
    _last_charge.set(verdict)
    try:
        yield verdict
    except Exception:
        _last_charge.set(None)
        refund(verdict)
        raise


def last_charge() -> Verdict | None:
    """Return what a command has charged for the present call, if it did."""
    return _last_charge.get()


def forget_last_charge() -> None:
    """Forget what an earlier call on this thread was charged."""
    _last_charge.set(None)


def _consume_remainder(buckets: Buckets, consumptions: Sequence[Consumption], verdict: Verdict) -> Verdict:
    """After Redis, consume also from the buckets that were counted in memory during an outage and have not drained."""
    remainder = _consume_in_memory(buckets, consumptions, [MEMORY.is_counting(each.key) for each in consumptions])
    if remainder is None:
        return verdict
    if remainder.allowed:
        return replace(verdict, in_memory=remainder.in_memory)
    refund(verdict)
    return remainder


def _consume_in_memory(buckets: Buckets, consumptions: Sequence[Consumption], chosen: Sequence[bool]) -> Verdict | None:
    """Consume from the chosen buckets in the memory of this process; None if there are none."""
    some = tuple(compress(consumptions, chosen))
    return _verdict_of(list(compress(buckets, chosen)), MEMORY.consume(some), in_memory=some) if some else None


def _reversed(consumptions: Sequence[Consumption]) -> list[Consumption]:
    return [each._replace(cost=-each.cost) for each in consumptions if each.cost > 0]


def _consumptions_of(buckets: Buckets, cost: Cost) -> list[Consumption]:
    costs = [cost] * len(buckets) if isinstance(cost, int) else cost
    return [
        Consumption(limit.key(subject), limit.interval, limit.capacity, each)
        for (limit, subject), each in zip(buckets, costs, strict=True)
    ]


def _verdict_of(
    buckets: Buckets,
    reply: Reply,
    *,
    in_redis: Sequence[Consumption] = (),
    in_memory: Sequence[Consumption] = (),
) -> Verdict:
    """Read the reply of the script or of the counter in memory."""
    allowed, tightest, left, wait, reset = (int(number) for number in reply)
    times = max(1, math.ceil(wait / 1000)), math.ceil(reset / 1000)
    consumed = (tuple(in_redis), tuple(in_memory)) if allowed else ((), ())
    return Verdict(bool(allowed), buckets[tightest - 1][0], left, *times, *consumed)


def _allow_uncounted(buckets: Buckets) -> Verdict:
    limit = buckets[0][0]
    return Verdict(True, limit, limit.capacity, 0, 0)
