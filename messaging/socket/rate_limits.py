"""How fast one socket may say and ask: permits leased from a limit of the person, across sockets and servers.

A round trip to Redis for every message would cost more than the message. So a socket that is in full flow leases some
permits at once, twice as many each time, and uses them up within half a second or loses them.
"""

import time
from collections import deque
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings

from chatproject.core import rate_limits

LEASE_MOST = 16
LEASE_SECONDS = 0.5


class Pace:
    """The permits of one socket."""

    __slots__ = ("_left", "_limit", "_next_lease", "_until", "_user_id")

    def __init__(self, limit: rate_limits.Limit, user_id: UUID) -> None:
        self._limit = limit
        self._user_id = user_id
        self._left = 0
        self._until = 0.0
        self._next_lease = 1

    async def require(self, permits: int = 1) -> None:
        """Use some permits; RateLimited if the person has too few left anywhere."""
        if not settings.CHAT_LIMITS:
            return
        if time.monotonic() > self._until:
            self._left = 0
        if self._left < permits:
            await self._lease(permits - self._left)
        self._left -= permits

    async def _lease(self, least: int) -> None:
        in_flow = time.monotonic() < self._until
        wanted = max(self._next_lease, least) if in_flow else least
        verdict = await self._take(wanted)
        if not verdict.allowed and wanted > least:
            wanted = least
            verdict = await self._take(wanted)
        if not verdict.allowed:
            raise rate_limits.RateLimited(verdict)
        self._left, self._until = self._left + wanted, time.monotonic() + LEASE_SECONDS
        self._next_lease = min(2 * wanted, LEASE_MOST)

    async def _take(self, permits: int) -> rate_limits.Verdict:
        return await rate_limits.consume_async(
            get_channel_layer().redis(), [(self._limit, self._user_id)], cost=permits
        )


class Frames:
    """How many frames one socket may send, of all kinds or of one: counted here, so that it costs nothing to refuse."""

    __slots__ = ("_due", "_limit")

    def __init__(self, limit: rate_limits.Limit) -> None:
        self._limit = limit
        self._due = 0.0
        """When the next frame would come if all came evenly (GCRA, as in `chatproject.core.rate_limits`)."""

    def require(self) -> None:
        """Use up one frame; RateLimited if they come too fast."""
        if not settings.CHAT_LIMITS:
            return
        now, limit = time.monotonic(), self._limit
        due = max(self._due, now) + limit.interval / 1000
        ahead = due - now - limit.capacity * limit.interval / 1000
        if ahead > 0:
            raise rate_limits.RateLimited(rate_limits.Verdict(False, limit, 0, max(1, round(ahead)), 1))
        self._due = due


class Tally:
    """Counts what must not happen too often."""

    __slots__ = ("_most", "_seconds", "_times")

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        # Nothing happens on most sockets.
        self._times: deque[float] | None = None

    def is_full(self) -> bool:
        """Note that it has happened, and tell whether that was once too often."""
        if self._times is None:
            self._times = deque(maxlen=self._most)
        self._times.append(time.monotonic())
        return len(self._times) == self._most and self._times[-1] - self._times[0] < self._seconds
