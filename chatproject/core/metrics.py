"""Metrics for Prometheus. They are numbers only: none names a person, a conversation or a device.

There is no counter for delivered frames, because it would cost half as much as the delivery itself.
"""

import math
from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]
CONTENT_TYPE = CONTENT_TYPE_LATEST

SOCKETS = Gauge("parley_sockets", "Signed-in sockets of this process.")
MESSAGES = Counter("parley_messages", "Messages stored, through REST, WebSocket and pages together.")
BATCH = Histogram(
    "parley_batch_messages", "Messages from sockets in one commit.", buckets=[1, 2, 4, 8, 16, 32, 64, 128, 256]
)
APPEND = Histogram(
    "parley_append_seconds",
    "Seconds from the start of an append to its commit, for one batch of messages from sockets.",
    buckets=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
)
MARKS = Counter("parley_marks", "Watermarks (delivered or read) of participants that were moved forward.")
MARKS_DROPPED = Counter(
    "parley_marks_dropped", "Watermarks that were dropped because the database accepted none for too long."
)
GAPS = Counter("parley_gaps_repaired", "Times that missed events were read from the database.")
FOUND_BY_RECONCILIATION = Counter(
    "parley_audit_found", "Conversations and people whose changes were found only by the reconciliation."
)
IGNORED = Counter(
    "parley_ignored_events",
    "Messages of other servers that this one did not understand, by what was unknown: version, kind or content.",
    ["reason"],
)
OVERFLOWS = Counter("parley_queue_overflows", "Sockets closed because their queue was full.")
PARTITIONS_AHEAD = Gauge(
    "parley_partitions_ahead", "Weeks after the current one that have partitions for messages; NaN without a database."
)

FOLLOWER_DELAY = Gauge(
    "parley_follower_delay_seconds",
    "Age of the oldest change that a follower of the change log has not handled; 0 if it has handled all.",
    ["follower"],
)
FOLLOWER_REBUILDING = Gauge(
    "parley_follower_rebuilding", "1 while a follower of the change log rebuilds what it keeps.", ["follower"]
)


def exposition(*, partitions_ahead: int | None, followers: Mapping[str, tuple[float, bool]]) -> bytes:
    """Return all metrics in Prometheus' text format; of each follower its delay and whether it rebuilds."""
    PARTITIONS_AHEAD.set(math.nan if partitions_ahead is None else partitions_ahead)
    for gauge in (FOLLOWER_DELAY, FOLLOWER_REBUILDING):
        gauge.clear()
    for name, (seconds, is_rebuilding) in followers.items():
        FOLLOWER_DELAY.labels(name).set(seconds)
        FOLLOWER_REBUILDING.labels(name).set(is_rebuilding)
    return generate_latest()
