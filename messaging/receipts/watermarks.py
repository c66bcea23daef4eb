"""Moving watermarks: how far messages were delivered to people, and how far they have read."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from accounts.changes import PersonalSettingsChanged
from chatproject.core import metrics
from chatproject.core.errors import Unavailable
from chatproject.core.realtime import HubEvent, publish
from conversations.models import Conversation
from messaging.receipts.events import Receipt, ReceiptChange, receipts_changed
from messaging.receipts.watermark_sql import MOVE, MoveOutcome, Watermark, parameters
from messaging.retention.missing_partition import is_missing_partition, make_missing_partitions

TRIES = 20
PAUSE = 0.05

LOCKS = (
    "SELECT 1 FROM accounts_user WHERE id = %(user)s FOR NO KEY UPDATE",
    """SELECT 1 FROM conversations_participant WHERE conversation_id = %(conversation)s AND user_id = %(user)s
    FOR NO KEY UPDATE""",
)


def move_watermark(watermark: Watermark) -> MoveOutcome:
    """Move one watermark on this thread's connection, in its transaction if there is one; publish on commit.

    Conversation.DoesNotExist for a stranger, Unavailable if another transaction keeps the participant locked for long.
    """
    for _ in range(TRIES):
        outcome = _try(watermark)
        if outcome is not None and outcome.status == "refused":
            raise Conversation.DoesNotExist
        if outcome is not None and outcome.status != "locked":
            transaction.on_commit(partial(publish, events_of([watermark], [outcome])))
            transaction.on_commit(partial(metrics.MARKS.inc, outcome.status == "moved"))
            return outcome
        _wait_for_locks(watermark)
    raise Unavailable("This could not be noted just now. Please try again.")


def events_of(watermarks: Sequence[Watermark], outcomes: Sequence[MoveOutcome]) -> list[HubEvent]:
    """Make the events of what has moved: receipts for those who may know them, and one for the reader's own devices."""
    changes: list[ReceiptChange] = []
    has_read: dict[tuple[UUID, int], list[UUID]] = {}
    for watermark, outcome in zip(watermarks, outcomes, strict=True):
        if outcome.version:
            has_read.setdefault((watermark.user_id, outcome.version), []).append(watermark.conversation_id)
        if outcome.is_public:
            receipt = Receipt(watermark.user_id, outcome.delivered, outcome.visible_read, outcome.has_more)
            changes.append(ReceiptChange(watermark.conversation_id, outcome.epoch, receipt, outcome.recipients))
    personal = [PersonalSettingsChanged(*person, ids) for person, ids in has_read.items()]
    return [*receipts_changed(changes), *personal]


def _wait_for_locks(watermark: Watermark) -> None:
    """Wait until the rows that a watermark needs are free, one after the other and without keeping either locked.

    Inside a larger transaction, which may have locked what others wait for, it waits only for a moment.
    """
    if connection.in_atomic_block:
        time.sleep(PAUSE)
        return
    with connection.cursor() as cursor:
        for lock in LOCKS:
            cursor.execute(lock, {"user": watermark.user_id, "conversation": watermark.conversation_id})


def _try(watermark: Watermark) -> MoveOutcome | None:
    """Run the statement; None if it has to be run again, because its partition was missing."""
    guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with guard, connection.cursor() as cursor:
            cursor.execute(MOVE, parameters([watermark]))
            return MoveOutcome(*cursor.fetchone())
    except IntegrityError as error:
        if not is_missing_partition(error):
            raise
        make_missing_partitions()
    return None
