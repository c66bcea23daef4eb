"""Rate limits that hold across servers: one atomic Redis script, the generic cell rate algorithm (GCRA).

A limit is `quota` things in `window` seconds, `burst` of them at once. Redis keeps one number for each limit and
subject: when the next thing would be due if all came evenly.

While Redis does not answer, limits that keep attackers out (`guards`) are counted in the memory of each process, and
all others are not counted: a chat that stops talking because it can't count would be the worse failure. When Redis is
back, what was counted in memory goes on counting until it has drained, so that an interrupted Redis gives away no
more than one quota in each process.
"""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

from django.conf import settings
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import MaxConnectionsError, RedisError
from redis.exceptions import TimeoutError as RedisTimeout

from chatproject.core.client_address import subject_of
from chatproject.core.local_rate_limits import Answer, Meter, Term
from chatproject.core.redis import redis

logger = logging.getLogger(__name__)

PATIENCE = 2.0
OUTAGE_SECONDS = 5.0
"""How long Redis is not asked again after it did not answer."""

# For every key: is there room for its cost? Only if there is in all of them is anything taken, so that a refusal costs
# nothing. A cost of 0 asks whether one would fit, one below 0 gives back. Answers: allowed, and for the tightest limit
# its index, what is left, and the milliseconds until the next fits and until it is full again. `meter.py` does the same
# in memory.
GCRA = """
local now = redis.call('TIME')
now = now[1] * 1000 + now[2] / 1000
local tightest, left, wait, reset, allowed = 1, math.huge, 0, 0, 1
local due = {}
for i, key in ipairs(KEYS) do
    local interval, burst, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
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
if allowed == 1 then
    for i, key in ipairs(KEYS) do
        local cost = tonumber(ARGV[3 * i])
        local next = due[i] + cost * tonumber(ARGV[3 * i - 2])
        if cost ~= 0 and next > now then
            redis.call('SET', key, string.format('%.3f', next), 'PX', math.ceil(next - now))
        elseif cost ~= 0 then
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
    guards: bool = False
    """Whether it keeps attackers out, and so has to hold while Redis does not answer."""
    bytes_each: int = 0
    """How many bytes of a body count like one call more; 0 for limits that do not look at it."""

    def cost_of(self, size: int) -> int:
        """What a call with a body of so many bytes takes from it."""
        return 1 + size // self.bytes_each if self.bytes_each else 1

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


REGISTER = Limit("register", 10, 3600, guards=True)
"""Accounts from one address."""
FAILURES = Limit("sign-in", 5, 300, guards=True)
"""Failed sign-ins with one name from one address together."""
FAILURES_OF_ADDRESS = Limit("sign-in-address", 20, 300, guards=True)
"""Failed sign-ins from one address, with whatever names."""
FAILURES_OF_NAME = Limit("sign-in-name", 100, 3600, guards=True)
"""Failed sign-ins with one name, from whatever addresses. One address alone can't use it up: it has 60 an hour."""
FAILURES_OF_DEVICE = Limit("sign-in-device", 5, 300, guards=True)
"""Failed sign-ins from a device that this person has signed in on before. Nothing else counts for it."""
RESETS_OF_ADDRESS = Limit("password-reset-address", 20, 3600, guards=True)
"""Mails to reset a password that one address asks for."""
RESETS_OF_MAIL = Limit("password-reset", 5, 3600, guards=True)
"""Mails to reset a password that are sent to one e-mail address."""
SEND = Limit("send", 30, 1, burst=90)
"""Messages of one person, whatever door they come through."""
CALLS = Limit("calls", 600, 60, bytes_each=4096)
"""All other calls of one person."""
FRAMES = Limit("frames", 200, 1, burst=1000)
"""Frames of one socket, whatever they ask for."""
TYPING = Limit("typing", 5, 1, burst=30)
"""Words of one socket that its person types, or types no more: each goes to everyone who is in."""
SOCKETS = Limit("sockets", 60, 60, burst=30)
"""Sockets that one person opens."""
SOCKETS_OF_ADDRESS = Limit("sockets-address", 6000, 60, burst=10_000)
"""Sockets that are opened from one address: thousands of people behind one may come back at once after a restart."""
CALLS_OF_ADDRESS = Limit("anonymous", 600, 60, bytes_each=4096)
"""Calls of nobody in particular from one address."""

DAY = 24 * 3600
GROUPS = Limit("groups", 100, DAY)
"""Groups that one person makes."""
INVITATIONS = Limit("contact-invitations", 100, DAY)
"""People whom one person invites to be contacts."""
LINKS = Limit("invite-links", 100, DAY)
"""Invitation links that one person makes."""
REPORTS = Limit("reports", 100, DAY)
"""Reports of one person."""
FORWARDS = Limit("forwards", 200, 60)
"""Messages that one person forwards; each of their attachments counts like one message more."""


def additions(group_members: int) -> Limit:
    """People whom one person brings into groups: two groups of the largest size a day."""
    return Limit("participants", 2 * group_members, DAY)


def uploads(bytes_a_day: int) -> Limit:
    """Kilobytes that one person uploads in a day."""
    return Limit("uploads", max(bytes_a_day // 1024, 1), DAY)


PEOPLE_A_CALL = 20
"""Looking after so many people, as `presence.watch` asks for, counts like one call."""
SEARCH = 3
"""A search among all people counts like so many calls: it reads up to two thousand of them."""
CATCH_UP = 20
"""Sending a device up to a thousand messages that it has missed counts like so many calls."""

Asked = Sequence[tuple[Limit, object]]
Cost = int | Sequence[int]
"""What is taken from each limit, or from all of them alike."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit said; times in whole seconds."""

    allowed: bool
    limit: Limit
    remaining: int
    retry_after: int
    reset: int
    counted: tuple[Term, ...] = ()
    """What was taken in Redis."""
    counted_here: tuple[Term, ...] = ()
    """What was taken in the memory of this process."""

    def headers(self) -> dict[str, str]:
        """The standard headers (draft-ietf-httpapi-ratelimit-headers)."""
        name = self.limit.name
        headers = {
            "RateLimit-Policy": f'"{name}";q={self.limit.at_once};w={self.limit.refill}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.reset}',
        }
        return headers if self.allowed else {**headers, "Retry-After": str(self.retry_after)}


class RateLimited(Exception):
    """Too many of something, too quickly. Its words are for people."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"That is enough for now. Please try again in {in_words(verdict.retry_after)}.")
        self.verdict = verdict


def in_words(seconds: int) -> str:
    """Say how long to wait, to a minute or an hour."""
    if seconds < 60:
        return "a moment"
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return f"{minutes} minutes" if minutes > 1 else "a minute"
    return f"{math.ceil(minutes / 60)} hours"


HERE = Meter()
"""What is counted in the memory of this process."""


class Outage:
    """While Redis does not answer, nobody waits for it again and again.

    An error begins an outage at once. A call that took too long does not, for whoever can make one call slow could
    switch limits off by it: only the second in a row does, if it began after the first had failed. That all of our
    connections are in use says nothing about Redis.
    """

    until = 0.0
    suspected_at = math.inf

    @classmethod
    def note_failure(cls, error: Exception, *, began: float) -> None:
        """Begin an outage, or suspect one."""
        now = time.monotonic()
        if isinstance(error, MaxConnectionsError):
            return
        if isinstance(error, RedisTimeout | TimeoutError) and began < cls.suspected_at:
            cls.suspected_at = min(cls.suspected_at, now)
            logger.warning("Redis took too long to count for a limit")
            return
        cls.until, cls.suspected_at = now + OUTAGE_SECONDS, now
        logger.warning(
            "Redis does not answer (%s): limits on signing in are counted in this process, others are not counted",
            type(error).__name__,
        )

    @classmethod
    def note_answer(cls) -> None:
        """Take back the suspicion."""
        cls.suspected_at = math.inf

    @classmethod
    def lasts(cls) -> bool:
        return time.monotonic() < cls.until


def take(asked: Asked, *, cost: Cost = 1) -> Verdict:
    """Take from some limits at once, all or none; with a cost of 0 only look whether there is room for one."""
    if not settings.CHAT_LIMITS:
        return free(asked)
    terms = terms_of(asked, cost)
    guards = [limit.guards for limit, _ in asked]
    if Outage.lasts():
        return _take_here(asked, terms, guards) or free(asked)
    began = time.monotonic()
    try:
        verdict = judge(asked, redis().eval(*question(terms)), counted=terms)
    except RedisError as error:
        Outage.note_failure(error, began=began)
        return _take_here(asked, terms, guards) or free(asked)
    Outage.note_answer()
    return _take_rest(asked, terms, verdict) if verdict.allowed else verdict


async def take_soon(client: AsyncRedis, asked: Asked, *, cost: int = 1) -> Verdict:
    """As `take`, for code that must not wait in a thread, and for limits that guard nothing."""
    if not settings.CHAT_LIMITS or Outage.lasts():
        return free(asked)
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            verdict = judge(asked, await client.eval(*question(terms_of(asked, cost))))
    except (RedisError, OSError, TimeoutError) as error:
        Outage.note_failure(error, began=began)
        return free(asked)
    Outage.note_answer()
    return verdict


def _take_rest(asked: Asked, terms: Sequence[Term], verdict: Verdict) -> Verdict:
    """After Redis: take from what was counted here while it did not answer, too, until that has drained."""
    here = _take_here(asked, terms, [HERE.knows(term.key) for term in terms])
    if here is None:
        return verdict
    if here.allowed:
        return replace(verdict, counted_here=here.counted_here)
    give_back(verdict)
    return here


def _take_here(asked: Asked, terms: Sequence[Term], chosen: Sequence[bool]) -> Verdict | None:
    """Take some of the terms in the memory of this process; None if there are none."""
    some = tuple(compress(terms, chosen))
    return judge(list(compress(asked, chosen)), HERE.take(some), counted_here=some) if some else None


def give_back(verdict: Verdict) -> None:
    """Take back that something was counted, wherever it was."""
    if here := _opposite(verdict.counted_here):
        HERE.take(here)
    if there := _opposite(verdict.counted):
        with suppress(RedisError):
            redis().eval(*question(there))


def _opposite(terms: Sequence[Term]) -> list[Term]:
    return [term._replace(cost=-term.cost) for term in terms if term.cost > 0]


def terms_of(asked: Asked, cost: Cost) -> list[Term]:
    """Write for each limit where it is counted, and what is taken from it."""
    costs = [cost] * len(asked) if isinstance(cost, int) else cost
    return [
        Term(limit.key(subject), limit.interval, limit.at_once, each)
        for (limit, subject), each in zip(asked, costs, strict=True)
    ]


def question(terms: Sequence[Term]) -> list[Any]:
    """Write the call of the script: itself, the number of keys, the keys, the arguments."""
    keys, words = [term.key for term in terms], [word for term in terms for word in term[1:]]
    return [GCRA, len(keys), *keys, *words]


def judge(asked: Asked, answer: Answer, *, counted: Sequence[Term] = (), counted_here: Sequence[Term] = ()) -> Verdict:
    """Read the answer of the script, or of a `Meter`."""
    allowed, tightest, left, wait, reset = (int(number) for number in answer)
    times = max(1, math.ceil(wait / 1000)), math.ceil(reset / 1000)
    taken = (tuple(counted), tuple(counted_here)) if allowed else ((), ())
    return Verdict(bool(allowed), asked[tightest - 1][0], left, *times, *taken)


def free(asked: Asked) -> Verdict:
    """Let something pass without counting it."""
    limit = asked[0][0]
    return Verdict(True, limit, limit.at_once, 0, 0)


def require(asked: Asked, *, cost: Cost = 1) -> Verdict:
    """As `take`, but RateLimited where there is no room."""
    verdict = take(asked, cost=cost)
    if not verdict.allowed:
        raise RateLimited(verdict)
    return verdict


_charged: ContextVar[Verdict | None] = ContextVar("charged", default=None)


@contextmanager
def charged(person_id: object, *costs: tuple[Limit, int]) -> Iterator[Verdict]:
    """Take what a command costs a person before it begins, so that no lock waits for Redis; give it back if it fails.

    RateLimited if some limit has no room for its cost. The API shows the limit in its answer.
    """
    due = [(limit, cost) for limit, cost in costs if cost > 0]
    if not due:
        yield free([(limit, person_id) for limit, _ in costs])
        return
    verdict = require([(limit, person_id) for limit, _ in due], cost=[cost for _, cost in due])
    _charged.set(verdict)
    try:
        yield verdict
    except Exception:
        _charged.set(None)
        give_back(verdict)
        raise


def begin_call() -> None:
    """Forget what an earlier call on this thread was charged."""
    _charged.set(None)


def charged_last() -> Verdict | None:
    """What the present call was charged by its command, if anything."""
    return _charged.get()


# What has happened already is counted even where there is no room: what comes next waits for it.
CHARGE = """
local now = redis.call('TIME')
now = now[1] * 1000 + now[2] / 1000
for i, key in ipairs(KEYS) do
    local next = math.max(tonumber(redis.call('GET', key) or now), now) + tonumber(ARGV[1]) * tonumber(ARGV[i + 1])
    redis.call('SET', key, string.format('%.3f', next), 'PX', math.ceil(next - now))
end
"""


def charge(asked: Asked, *, cost: int) -> None:
    """Count something that has been allowed and cost more than was known then; refuses nothing."""
    if not settings.CHAT_LIMITS or Outage.lasts():
        return
    keys, began = [limit.key(subject) for limit, subject in asked], time.monotonic()
    try:
        redis().eval(CHARGE, len(keys), *keys, cost, *[limit.interval for limit, _ in asked])
    except RedisError as error:
        Outage.note_failure(error, began=began)
