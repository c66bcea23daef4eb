"""When Redis counts as down, so that nobody waits for it again and again."""

import logging
import math
import time

from redis.exceptions import MaxConnectionsError
from redis.exceptions import TimeoutError as RedisTimeout

logger = logging.getLogger(__name__)

OUTAGE_SECONDS = 5.0
"""How long Redis is not asked again after it did not answer."""


class Outage:
    """Whether Redis counts as down at this moment, in this process.

    An error starts an outage at once. A call that took too long does not: otherwise, whoever can make one call slow
    could switch the limits off. Only the second slow call in a row does, if it began after the first had failed. A pool
    without a free connection says nothing about Redis.
    """

    until = 0.0
    suspected_at = math.inf

    @classmethod
    def record_failure(cls, error: Exception, *, began: float) -> None:
        """Start an outage, or suspect one."""
        now = time.monotonic()
        if isinstance(error, MaxConnectionsError):
            return
        if isinstance(error, RedisTimeout | TimeoutError) and began < cls.suspected_at:
            cls.suspected_at = min(cls.suspected_at, now)
            logger.warning("Redis took too long to count for a rate limit")
            return
        cls.until, cls.suspected_at = now + OUTAGE_SECONDS, now
        logger.warning(
            "Redis does not answer (%s): limits on signing in are counted in this process, others are not counted",
            type(error).__name__,
        )

    @classmethod
    def record_success(cls) -> None:
        """Drop the suspicion."""
        cls.suspected_at = math.inf

    @classmethod
    def is_active(cls) -> bool:
        return time.monotonic() < cls.until
