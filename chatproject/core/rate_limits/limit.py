"""What a rate limit is, and what it answers."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chatproject.core.client_address import rate_limit_subject


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of uses (`quota`) within a number of seconds (`window`), for each subject: a person, an address."""

    name: str
    quota: int
    window: int
    burst: int = 0
    """How many may come at once; 0 means the whole quota."""
    guards: bool = False
    """Whether it keeps attackers out, and therefore has to hold while Redis does not answer."""
    bytes_each: int = 0
    """How many bytes of a request body count as one use more; 0 for limits that ignore the body."""

    def cost_of(self, size: int) -> int:
        """Return the cost of a call with a body of this many bytes."""
        return 1 + size // self.bytes_each if self.bytes_each else 1

    @property
    def capacity(self) -> int:
        """How many uses may come at once."""
        return self.burst or self.quota

    @property
    def refill_seconds(self) -> int:
        """Seconds until an empty limit has its whole capacity again."""
        return math.ceil(self.capacity * self.window / self.quota)

    @property
    def interval(self) -> float:
        """Milliseconds between two uses that come evenly."""
        return self.window * 1000 / self.quota

    def key(self, subject: object) -> str:
        """Return the key in Redis. Subjects may be names or addresses of people, so Redis gets only a digest."""
        return f"limit:{self.name}:{hashlib.sha256(rate_limit_subject(str(subject)).encode()).hexdigest()[:32]}"


Buckets = Sequence[tuple[Limit, object]]
"""What is counted together: limits, each with the subject that is limited."""
Cost = int | Sequence[int]
"""What is consumed from each bucket; a single number applies to all of them."""


class Consumption(NamedTuple):
    """What is consumed from one bucket, in the terms of the algorithm."""

    key: str
    interval: float
    """Milliseconds between two uses that come evenly."""
    capacity: int
    cost: int
    """0 asks whether one use would fit; a negative cost gives uses back."""


Reply = Sequence[int]
"""The algorithm's reply: allowed (1 or 0), then for the tightest bucket its number from 1, the uses left, and the
milliseconds until the next use fits and until its capacity is complete again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed, and what the tightest limit has left; times in whole seconds."""

    allowed: bool
    limit: Limit
    remaining: int
    retry_after: int
    reset: int
    in_redis: tuple[Consumption, ...] = ()
    """What was consumed in Redis."""
    in_memory: tuple[Consumption, ...] = ()
    """What was consumed in the memory of this process."""

    def headers(self) -> dict[str, str]:
        """Return the standard headers (draft-ietf-httpapi-ratelimit-headers)."""
        name = self.limit.name
        headers = {
            "RateLimit-Policy": f'"{name}";q={self.limit.capacity};w={self.limit.refill_seconds}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.reset}',
        }
        return headers if self.allowed else {**headers, "Retry-After": str(self.retry_after)}


class RateLimited(Exception):
    """A limit has been exceeded. The message is shown to people."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"That is enough for now. Please try again in {in_words(verdict.retry_after)}.")
        self.verdict = verdict


def in_words(seconds: int) -> str:
    """Describe a waiting time in minutes or hours."""
    if seconds < 60:
        return "a moment"
    minutes = math.ceil(seconds / 60)
    if minutes <= 90:
        return f"{minutes} minutes" if minutes > 1 else "a minute"
    return f"{math.ceil(minutes / 60)} hours"
