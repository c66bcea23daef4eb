"""The append of one message on the connection of the calling thread, for REST, pages, the admin and jobs.

It is the statement of the group commit, with a batch of one.
"""

import time
from contextlib import nullcontext
from functools import partial

import psycopg
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from chatproject.core import metrics
from chatproject.core.database import without_connection
from chatproject.core.errors import Unavailable, Unprocessable
from chatproject.core.realtime import publish
from messaging.media.attachments import MediaJSON, attach_media, media_of
from messaging.messages.append_sql import parameters, statement
from messaging.messages.draft import Draft
from messaging.messages.events import message_created
from messaging.messages.outcome import AppendOutcome, SendResult, result_of
from messaging.messages.repeat import repeat_of
from messaging.retention.missing_partition import is_missing_partition, make_missing_partitions

TRIES = 8


def append(draft: Draft) -> SendResult:
    """Append one message, in the caller's transaction if there is one, and publish it on commit.

    Its media are attached in the same transaction: Unprocessable if not all of them can be.
    """
    with transaction.atomic() if draft.media else nullcontext():
        return _append(draft)


def _append(draft: Draft) -> SendResult:
    for attempt in range(TRIES):
        outcome = _try(draft)
        if outcome is None:
            continue
        if outcome.status == "repeated":
            return repeat_of(draft)
        if result := result_of(draft, outcome):
            result.message["media"] = _attach_media(draft)
            transaction.on_commit(metrics.MESSAGES.inc)
            event = message_created(draft.conversation_id, outcome.epoch, result.message)
            transaction.on_commit(partial(publish, [event]))
            return result
        _pause(0.005 * attempt)
    raise Unavailable("The conversation is changing too fast. Please try again.")


def _pause(seconds: float) -> None:
    """Wait before the next try, but not inside a transaction: then the row is locked, and the next try is the last."""
    if not connection.in_atomic_block:
        with without_connection():
            time.sleep(seconds)


def _attach_media(draft: Draft) -> list[MediaJSON]:
    """Attach the media of a draft to the message, now that it is stored."""
    if not draft.media:
        return []
    ids = {"message_id": draft.id, "conversation_id": draft.conversation_id, "sender_id": draft.sender_id}
    if not attach_media(draft.media, **ids):
        raise Unprocessable("This is not yours, not ready, or sent already.", pointer="/media")
    return media_of([draft.id])[draft.id]


def _try(draft: Draft) -> AppendOutcome | None:
    """Run the statement; None if it has to be run again: the same id came in meanwhile, or its partition is missing."""
    # Inside a larger transaction a savepoint keeps a failure from spoiling it; alone, it would only cost round trips.
    guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with guard, connection.cursor() as cursor:
            cursor.execute(statement([draft]), parameters([draft], retention_days=settings.RETENTION_DAYS))
            return AppendOutcome(*cursor.fetchone())
    except IntegrityError as error:
        if is_missing_partition(error):
            make_missing_partitions()
        elif not isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise
    return None
