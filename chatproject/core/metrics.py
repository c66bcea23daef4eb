"""What a process counts for Prometheus. Numbers only: nothing here names a person, a conversation or a device.

Nothing is counted for each frame that is delivered: a counter costs half of what the delivery does.
"""

import math

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

SOCKETS = Gauge("parley_sockets", "Sockets that are signed in on this process.")
MESSAGES = Counter("parley_messages", "Messages stored, whatever door they came through.")
BATCH = Histogram(
    "parley_batch_messages", "Messages of sockets in one commit.", buckets=[1, 2, 4, 8, 16, 32, 64, 128, 256]
)
APPEND = Histogram(
    "parley_append_seconds",
    "From the beginning of an append to its commit, for one batch of sockets' messages.",
    buckets=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
)
MARKS = Counter("parley_marks", "Places in conversations that were found delivered or read further than before.")
MARKS_DROPPED = Counter("parley_marks_dropped", "Marks that were forgotten because the database took none for long.")
GAPS = Counter("parley_gaps_repaired", "Times that missing events were read from the database.")
FOUND_BY_AUDIT = Counter("parley_audit_found", "Conversations and people of which only the audit told something new.")
OVERFLOWS = Counter("parley_queue_overflows", "Sockets closed because their queue was full.")
PARTITIONS_AHEAD = Gauge(
    "parley_partitions_ahead", "Weeks after the present one that are ready for messages; NaN without a database."
)


def exposition(*, partitions_ahead: int | None) -> bytes:
    """Write everything down in Prometheus' text format."""
    PARTITIONS_AHEAD.set(math.nan if partitions_ahead is None else partitions_ahead)
    return generate_latest()
