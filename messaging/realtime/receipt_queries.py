"""Loading receipts: how far people have come of late, and who may know of it."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.people.read_receipt_privacy import SHOWS_READ
from chatproject.core.ids import first_id_at
from messaging.realtime.snapshots import read_snapshot
from messaging.receipts.events import Receipt, ReceiptChange
from messaging.receipts.watermark_sql import IS_BLOCKED, LARGE_GROUPS, SENDERS_IN_LARGE_GROUPS

RUNS = """
SELECT s.conversation_id, s.user_id, min(s.after) AS since,
    COALESCE(max(s.through) FILTER (WHERE s.what = 'delivered'), 0) AS delivered,
    COALESCE(max(s.through) FILTER (WHERE s.what = 'read'), 0) AS read
FROM messaging_messagestatus s
WHERE s.id >= %s AND s.conversation_id = ANY(%s)
GROUP BY s.conversation_id, s.user_id
"""
VISIBLE = f"""
WITH moved AS MATERIALIZED (
    SELECT r.conversation_id, r.user_id, r.since, p.delivered_through AS until, c.kind, c.epoch,
        p.delivered_through AS has, r.delivered > 0 AS has_more,
        CASE WHEN {SHOWS_READ} THEN p.read_through ELSE 0 END AS has_read
    FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[]) AS r(conversation_id, user_id, since, delivered)
    JOIN conversations_conversation c ON c.id = r.conversation_id
    JOIN conversations_participant p
        ON p.conversation_id = r.conversation_id AND p.user_id = r.user_id AND p.left_at IS NULL
    JOIN accounts_user u ON u.id = r.user_id
), large AS MATERIALIZED (
    {LARGE_GROUPS}
), concerned AS MATERIALIZED (
    {SENDERS_IN_LARGE_GROUPS}
)
SELECT m.*, c.recipients FROM moved m
LEFT JOIN concerned c ON (c.conversation_id, c.since, c.until) = (m.conversation_id, m.since, m.until)
WHERE (m.has_more OR m.has_read > 0) AND NOT ({IS_BLOCKED})
"""  # noqa: S608 (pieces of our own)


async def load_recent_runs(ids: Collection[UUID], *, seconds: float) -> list[Any]:
    """Load how far people have come in the last seconds in some conversations.

    Each row has the conversation, the person, the position they came from, and how far was delivered and read, 0 where
    that has not changed.
    """
    async with read_snapshot() as run:
        return await run(RUNS, first_id_at(timezone.now() - timedelta(seconds=seconds)), list(ids))


async def load_receipts(rows: Collection[Any]) -> list[ReceiptChange]:
    """Load which receipts of some runs, as `load_recent_runs` returns them, may be delivered, and to whom."""
    columns = zip(*((row.conversation_id, row.user_id, row.since, row.delivered) for row in rows), strict=True)
    async with read_snapshot() as run:
        found = await run(VISIBLE, *map(list, columns))
    return [
        ReceiptChange(
            row.conversation_id, row.epoch, Receipt(row.user_id, row.has, row.has_read, row.has_more), row.recipients
        )
        for row in found
    ]
