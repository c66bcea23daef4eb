"""What uploads cost of a person's daily quota (`UPLOAD_BYTES_A_DAY`), in kilobytes."""

import math
from uuid import UUID

from django.conf import settings

from chatproject.core import rate_limits
from chatproject.core.rate_limits import quotas
from messaging.models import Attachment

MIN_COST_BYTES = 64 * 1024
"""The least that an upload costs, so that nobody can create millions of rows."""
COST_PER_SECOND = 512 * 1024
"""Bytes that a second of processor time costs, if the file has fewer: half an hour for a gigabyte."""


def quota_cost(size: int) -> int:
    """Return the cost of an upload with so many bytes, in kilobytes."""
    return max(size, MIN_COST_BYTES) // 1024


def require_quota(owner_id: UUID, size: int) -> None:
    """Charge a person for an upload; RateLimited if it exceeds their quota."""
    rate_limits.require([(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), owner_id)], cost=quota_cost(size))


def charge_stored(attachment: Attachment, stored: int) -> None:
    """Charge for what is stored beyond what was uploaded. The upload was accepted before, so this refuses nothing."""
    _charge_more(attachment, math.ceil(stored / 1024))


def charge_time(attachment: Attachment, seconds: float) -> None:
    """Charge for the processor time of an examination beyond the cost of the bytes, whatever its result was."""
    _charge_more(attachment, int(seconds * COST_PER_SECOND) // 1024)


def _charge_more(attachment: Attachment, cost: int) -> None:
    more = cost - quota_cost(attachment.size)
    if more > 0:
        rate_limits.consume_unchecked([(quotas.uploads(settings.UPLOAD_BYTES_A_DAY), attachment.owner_id)], cost=more)
