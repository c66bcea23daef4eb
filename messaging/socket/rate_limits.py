"""The rate limits of a socket: permits leased from a person's limit in Redis, and limits counted in this process.

A round trip to Redis for every message would cost more than the message. Therefore a socket that sends continuously
leases several permits at once, twice as many each time. Permits that are not used within half a second expire.
"""

import time
from collections import deque
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings

from chatproject.core import rate_limits

LEASE_MOST = 16
LEASE_SECONDS = 0.5


class LeasedLimit:
    """The permits that one socket has leased from a limit of its person, which holds across sockets and servers."""

    __slots__ = ("_expires_at", "_limit", "_next_lease", "_remaining", "_user_id")

    def __init__(self, limit: rate_limits.Limit, user_id: UUID) -> None:
        self._limit = limit
        self._user_id = user_id
        self._remaining = 0
        self._expires_at = 0.0
        self._next_lease = 1

    async def require(self, permits: int = 1) -> None:
        """Use some permits, and lease more if needed; RateLimited if the person has too few left."""
        if not settings.CHAT_LIMITS:
            return
        if time.monotonic() > self._expires_at:
            self._remaining = 0
        if self._remaining < permits:
            await self._lease(permits - self._remaining)
        self._remaining -= permits

    async def _lease(self, least: int) -> None:
        is_continuous = time.monotonic() < self._expires_at
        wanted = max(self._next_lease, least) if is_continuous else least
        verdict = await self._consume(wanted)
        if not verdict.allowed and wanted > least:
            wanted = least
            verdict = await self._consume(wanted)
        if not verdict.allowed:
            raise rate_limits.RateLimited(verdict)
        self._remaining, self._expires_at = self._remaining + wanted, time.monotonic() + LEASE_SECONDS
        self._next_lease = min(2 * wanted, LEASE_MOST)

    async def _consume(self, permits: int) -> rate_limits.Verdict:
        return await rate_limits.consume_async(
            get_channel_layer().redis(), [(self._limit, self._user_id)], cost=permits
        )


class SocketLimit:
    """A limit on the frames of one socket, counted in this process, so that a refusal costs no round trip to Redis."""

    __slots__ = ("_due_at", "_limit")

    def __init__(self, limit: rate_limits.Limit) -> None:
        self._limit = limit
        self._due_at = 0.0
        """When the next frame would be due if all were evenly spaced (GCRA, as in `chatproject.core.rate_limits`)."""

    def require(self) -> None:
        """Count one frame; RateLimited if there were too many."""
        if not settings.CHAT_LIMITS:
            return
        now, limit = time.monotonic(), self._limit
        due_at = max(self._due_at, now) + limit.interval / 1000
        ahead = due_at - now - limit.capacity * limit.interval / 1000
        if ahead > 0:
            raise rate_limits.RateLimited(rate_limits.Verdict(False, limit, 0, max(1, round(ahead)), 1))
        self._due_at = due_at


class ViolationCounter:
    """Counts the violations of a rule within a period of time, to find out when there are too many."""

    __slots__ = ("_most", "_seconds", "_times")

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        # Created with the first violation: most sockets have none, and this saves their memory.
        self._times: deque[float] | None = None

    def record(self) -> bool:
        """Record a violation; return whether there are now too many."""
        if self._times is None:
            self._times = deque(maxlen=self._most)
        self._times.append(time.monotonic())
        return len(self._times) == self._most and self._times[-1] - self._times[0] < self._seconds
