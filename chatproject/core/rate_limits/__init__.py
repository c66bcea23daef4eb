"""Rate limits that hold across servers. The numbers are in `quotas.py`.

`limiter` is the way in: it counts in Redis (`script`), and while Redis does not answer (`outage`) in the memory of the
process (`memory`). Both use the generic cell rate algorithm, GCRA.
"""

from chatproject.core.rate_limits.limit import Buckets, Limit, RateLimited, Verdict
from chatproject.core.rate_limits.limiter import (
    allowed_or_refused,
    charged,
    consume,
    consume_async,
    consume_unchecked,
    forget_last_charge,
    last_charge,
    refund,
    require,
)

__all__ = [
    "Buckets",
    "Limit",
    "RateLimited",
    "Verdict",
    "allowed_or_refused",
    "charged",
    "consume",
    "consume_async",
    "consume_unchecked",
    "forget_last_charge",
    "last_charge",
    "refund",
    "require",
]
