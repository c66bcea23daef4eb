"""Which upload is processed next: a queue over the rows of uploads that is fair between people.

Each queued upload has a turn, and the lowest turn is next. A person's first upload gets the lowest turn in the queue,
each further one the turn after their last: so people alternate, however many uploads one of them has.

`Attachment.due_at` makes the queue safe against crashes: a queued upload is not claimed before that time, and a claimed
one is claimed again after it, because the process that claimed it must have died. Every change is made under one short
lock, so that the counts are still true when the change is made.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from chatproject.core.database import now
from messaging.models import Attachment

TASK = "messaging.jobs.look_at_next"
QUEUE = "media"
MAX_PER_OWNER = 4
"""How many uploads of one person are processed at once while others wait, and while their owner waits."""
LEASE = timedelta(minutes=10)
"""How long a claim is valid; after it, the process that claimed the upload is taken for dead."""
RETRY_PAUSE = timedelta(seconds=20)
"""The pause before a retry when the storage or the scanner did not answer; it grows with each failure."""

LOCK_TURNS = "SELECT pg_advisory_xact_lock(hashtext('messaging_attachment turns'))"
State = Attachment.State


def enqueue(upload: Attachment, *, key: str) -> bool:
    """Queue a complete upload; False if another request has queued it."""
    with _locked_turns() as at:
        complete = Attachment.objects.filter(pk=upload.pk, state=State.PENDING, gone_at=None)
        turn = _next_turn(upload.owner_id, at)
        return complete.update(state=State.PROCESSING, key=key, taken_at=at, due_at=at, turn=turn) == 1


def claim(upload: Attachment, *, limit: int | None = MAX_PER_OWNER) -> bool:
    """Claim one upload out of turn; False if it is claimed already, or its owner has the most that may be claimed."""
    with _locked_turns() as at:
        if limit is not None and _claimed(at).filter(owner=upload.owner_id).count() >= limit:
            return False
        return _claim(_due(at).filter(pk=upload.pk), at)


def claim_next(*, excluding: Collection[UUID] = ()) -> UUID | None:
    """Claim the next upload, except of some people; return its id, or None if none is due."""
    with _locked_turns() as at:
        busy = _claimed(at).values("owner").annotate(count=Count("pk")).filter(count__gte=MAX_PER_OWNER).values("owner")
        others = _due(at).exclude(owner__in=excluding)
        in_turn = others.order_by(F("turn").asc(nulls_first=True), "taken_at", "pk").values_list("pk", flat=True)
        found = in_turn.exclude(owner__in=busy).first() or in_turn.first()
        return found if found and _claim(_due(at).filter(pk=found), at) else None


def has_due_upload() -> bool:
    """Tell whether a queued upload is due."""
    return _due(now()).exists()


def defer_to_job(upload: Attachment, *, has_failed: bool = False) -> None:
    """Queue an upload with a job of its own, due at once or, after a failure, after a pause."""
    with _locked_turns() as at:
        due_at = at + (max(RETRY_PAUSE, (at - (upload.taken_at or at)) / 2) if has_failed else timedelta(0))
        turn = _next_turn(upload.owner_id, at)
        if _open().filter(pk=upload.pk).update(turn=turn, due_at=due_at):
            app.configure_task(TASK, queue=QUEUE, schedule_at=due_at).defer()


def add_missing_jobs() -> None:
    """Add jobs for queued uploads that have none, because the process that claimed them has died."""
    with _locked_turns() as at:
        ready = ProcrastinateJob.objects.filter(task_name=TASK, status="todo").exclude(scheduled_at__gt=at)
        for _ in range(_due(at).count() - ready.count()):
            app.configure_task(TASK, queue=QUEUE).defer()


@contextmanager
def _locked_turns() -> Iterator[datetime]:
    """Lock the turns of the queue until the transaction ends; yield the database's time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_TURNS)
        yield now()


def _open() -> QuerySet[Attachment]:
    # This uses the small index of uploads that are not attached to a message yet.
    return Attachment.objects.filter(message_id=None, state=State.PROCESSING, gone_at=None)


def _due(at: datetime) -> QuerySet[Attachment]:
    # An upload that an earlier version of the server claimed has no `due_at`.
    return _open().filter(Q(due_at__lte=at) | Q(due_at=None, taken_at__lte=at - LEASE))


def _claimed(at: datetime) -> QuerySet[Attachment]:
    return _open().filter(turn=None, due_at__gt=at)


def _claim(uploads: QuerySet[Attachment], at: datetime) -> bool:
    return uploads.update(turn=None, due_at=at + LEASE) == 1


def _next_turn(owner_id: UUID, at: datetime) -> int:
    """Return the turn of a further upload of a person."""
    last = _open().filter(owner=owner_id).aggregate(last=Max("turn"))["last"]
    first = _due(at).aggregate(first=Min("turn"))["first"]
    return max((last or 0) + 1, first or 1)
