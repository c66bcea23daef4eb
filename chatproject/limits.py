"""Rate limits that hold across servers: one atomic Redis script, the generic cell rate algorithm (GCRA).

A limit is `quota` things in `window` seconds, `burst` of them at once. Redis keeps one number for each limit and
subject: when the next thing would be due if all came evenly. Where Redis does not answer, nothing is limited: a chat
that stops talking because it can't count would be the worse failure, and the log says so.
"""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from chatproject.addresses import subject_of
from chatproject.redis import redis

logger = logging.getLogger(__name__)

PATIENCE = 2.0
OUTAGE_SECONDS = 5.0
"""How long Redis is not asked again after it did not answer."""

# For every key: is there room for the cost? Only if there is in all of them is anything taken, so that a refusal costs
# nothing. A cost of 0 asks whether one would fit, one below 0 gives back. Answers: allowed, and for the tightest limit
# its index, what is left, and the milliseconds until the next fits and until it is full again.
GCRA = """
local now = redis.call('TIME')
now = now[1] * 1000 + now[2] / 1000
local cost = tonumber(ARGV[1])
local tightest, left, wait, reset, allowed = 1, math.huge, 0, 0, 1
local due = {}
for i, key in ipairs(KEYS) do
    local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    due[i] = math.max(tonumber(redis.call('GET', key) or now), now)
    local room = burst * interval - (due[i] - now)
    local lacking = cost < 0 and 0 or math.max(cost, 1) * interval - room
    local rest = math.floor(room / interval + 0.001) - cost
    if lacking > 0.5 then
        allowed = 0
        if lacking > wait then tightest, wait, left, reset = i, lacking, 0, due[i] - now end
    elseif allowed == 1 and rest < left then
        tightest, left, reset = i, rest, due[i] - now + cost * interval
    end
end
if allowed == 1 and cost ~= 0 then
    for i, key in ipairs(KEYS) do
        local next = due[i] + cost * tonumber(ARGV[2 * i])
        if next > now then
            redis.call('SET', key, string.format('%.3f', next), 'PX', math.ceil(next - now))
        else
            redis.call('DEL', key)
        end
    end
end
return {allowed, tightest, math.max(left, 0), math.ceil(wait), math.ceil(reset)}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many things in so many seconds, for each of the subjects it is asked about."""

    name: str
    quota: int
    window: int
    burst: int = 0
    """How many may come at once; the quota unless told."""

    @property
    def at_once(self) -> int:
        return self.burst or self.quota

    @property
    def refill(self) -> int:
        """Seconds in which all that may come at once is there again."""
        return math.ceil(self.at_once * self.window / self.quota)

    @property
    def interval(self) -> float:
        """Milliseconds between two things that come evenly."""
        return self.window * 1000 / self.quota

    def key(self, subject: object) -> str:
        """Subjects may be names or addresses of people, so Redis sees their digest only."""
        return f"limit:{self.name}:{hashlib.sha256(subject_of(str(subject)).encode()).hexdigest()[:32]}"


REGISTER = Limit("register", 10, 3600)
"""Accounts from one address."""
FAILURES_OF_NAME = Limit("sign-in-name", 5, 300)
FAILURES_OF_ADDRESS = Limit("sign-in-address", 20, 300)
SEND = Limit("send", 30, 1, burst=90)
"""Messages of one person, whatever door they come through."""
CALLS = Limit("calls", 600, 60)
"""All other calls of one person."""
FRAMES = Limit("frames", 200, 1, burst=1000)
"""Frames of one socket, whatever they ask for."""
TYPING = Limit("typing", 5, 1, burst=30)
"""Words of one socket that its person types, or types no more: each goes to everyone who is in."""
CALLS_OF_ADDRESS = Limit("anonymous", 600, 60)
"""Calls of nobody in particular from one address."""


def uploads(bytes_a_day: int) -> "Limit":
    """Kilobytes that one person uploads in a day."""
    return Limit("uploads", max(bytes_a_day // 1024, 1), 24 * 3600)


Asked = Sequence[tuple[Limit, object]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit said; times in whole seconds."""

    allowed: bool
    limit: Limit
    remaining: int
    retry_after: int
    reset: int

    def headers(self) -> dict[str, str]:
        """The standard headers (draft-ietf-httpapi-ratelimit-headers)."""
        name = self.limit.name
        headers = {
            "RateLimit-Policy": f'"{name}";q={self.limit.at_once};w={self.limit.refill}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.reset}',
        }
        return headers if self.allowed else {**headers, "Retry-After": str(self.retry_after)}


class RateLimited(Exception):
    """Too many of something, too quickly."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__("Too many requests. Please wait a little.")
        self.verdict = verdict


class Outage:
    """While Redis does not answer, nobody waits for it again and again."""

    until = 0.0

    @classmethod
    def begin(cls, error: Exception) -> None:
        cls.until = time.monotonic() + OUTAGE_SECONDS
        logger.warning("nothing is limited just now, Redis does not answer: %s", type(error).__name__)

    @classmethod
    def lasts(cls) -> bool:
        return time.monotonic() < cls.until


def take(asked: Asked, *, cost: int = 1) -> Verdict:
    """Take from some limits at once, all or none; with a cost of 0 only look whether there is room for one."""
    if not settings.CHAT_LIMITS or Outage.lasts():
        return free(asked)
    try:
        return judge(asked, redis().eval(*question(asked, cost)))
    except RedisError as error:
        Outage.begin(error)
        return free(asked)


async def take_soon(client: AsyncRedis, asked: Asked, *, cost: int = 1) -> Verdict:
    """As `take`, for code that must not wait in a thread."""
    if not settings.CHAT_LIMITS or Outage.lasts():
        return free(asked)
    try:
        async with asyncio.timeout(PATIENCE):
            return judge(asked, await client.eval(*question(asked, cost)))
    except (RedisError, OSError, TimeoutError) as error:
        Outage.begin(error)
        return free(asked)


def question(asked: Asked, cost: int) -> list[Any]:
    """Write the call of the script: itself, the number of keys, the keys, the arguments."""
    keys = [limit.key(subject) for limit, subject in asked]
    return [GCRA, len(keys), *keys, cost, *(word for limit, _ in asked for word in (limit.interval, limit.at_once))]


def judge(asked: Asked, answer: Any) -> Verdict:
    """Read the script's answer."""
    allowed, tightest, left, wait, reset = (int(number) for number in answer)
    limit = asked[tightest - 1][0]
    return Verdict(bool(allowed), limit, left, max(1, math.ceil(wait / 1000)), math.ceil(reset / 1000))


def free(asked: Asked) -> Verdict:
    """Let something pass without counting it."""
    limit = asked[0][0]
    return Verdict(True, limit, limit.at_once, 0, 0)


def require(asked: Asked, *, cost: int = 1) -> Verdict:
    """As `take`, but RateLimited where there is no room."""
    verdict = take(asked, cost=cost)
    if not verdict.allowed:
        raise RateLimited(verdict)
    return verdict
