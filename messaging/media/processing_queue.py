"""Whose upload is looked at next: a queue over the rows of uploads, which is fair between people.

Each upload that waits has a turn, and the lowest is next. A person's first gets the lowest turn of those that wait,
each further one the turn after their last: so people alternate, however many uploads one of them has.

`Attachment.due_at` lets a crash lose nothing: an upload that waits is not begun before that time, and one that was
begun is begun again after it, because whoever looked at it must have died. Every change is made under one short lock,
so that what was counted is still so.
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

LOOK = "messaging.jobs.look_at_next"
QUEUE = "media"
MOST_EACH = 4
"""How many uploads of one person are looked at at the same time while others wait, and while their owner waits."""
LEASE = timedelta(minutes=10)
"""After which nobody is looking at an upload any more, whatever its row says."""
PAUSE = timedelta(seconds=20)
"""Before an upload is tried again where the storage or the scanner did not answer; if it fails again, ever longer."""

ORDERED = "SELECT pg_advisory_xact_lock(hashtext('messaging_attachment turns'))"
State = Attachment.State


def enter(upload: Attachment, *, key: str) -> bool:
    """Let an upload that is complete wait for its turn; False if somebody else has just done so."""
    with _ordered() as at:
        complete = Attachment.objects.filter(pk=upload.pk, state=State.PENDING, gone_at=None)
        turn = _turn_of(upload.owner_id, at)
        return complete.update(state=State.PROCESSING, key=key, taken_at=at, due_at=at, turn=turn) == 1


def begin(upload: Attachment, *, most: int | None = MOST_EACH) -> bool:
    """Begin to look at one upload out of turn; False if somebody has, or if as many of its owner's are looked at."""
    with _ordered() as at:
        if most is not None and _begun(at).filter(owner=upload.owner_id).count() >= most:
            return False
        return _begin(_due(at).filter(pk=upload.pk), at)


def begin_next(*, besides: Collection[UUID] = ()) -> UUID | None:
    """Begin to look at the upload whose turn it is, of anyone beside some people; None if none waits."""
    with _ordered() as at:
        served = _begun(at).values("owner").annotate(count=Count("pk")).filter(count__gte=MOST_EACH).values("owner")
        others = _due(at).exclude(owner__in=besides)
        in_turn = others.order_by(F("turn").asc(nulls_first=True), "taken_at", "pk").values_list("pk", flat=True)
        found = in_turn.exclude(owner__in=served).first() or in_turn.first()
        return found if found and _begin(_due(at).filter(pk=found), at) else None


def is_one_due() -> bool:
    """Tell whether an upload waits that may be begun."""
    return _due(now()).exists()


def leave_to_job(upload: Attachment, *, has_failed: bool = False) -> None:
    """Let an upload wait for its turn with a job of its own, from now on or, where it has failed, after a pause."""
    with _ordered() as at:
        due_at = at + (max(PAUSE, (at - (upload.taken_at or at)) / 2) if has_failed else timedelta(0))
        turn = _turn_of(upload.owner_id, at)
        if _open().filter(pk=upload.pk).update(turn=turn, due_at=due_at):
            app.configure_task(LOOK, queue=QUEUE, schedule_at=due_at).defer()


def add_missing_jobs() -> None:
    """Make jobs for uploads that wait without one, because whoever began to look at them has died."""
    with _ordered() as at:
        ready = ProcrastinateJob.objects.filter(task_name=LOOK, status="todo").exclude(scheduled_at__gt=at)
        for _ in range(_due(at).count() - ready.count()):
            app.configure_task(LOOK, queue=QUEUE).defer()


@contextmanager
def _ordered() -> Iterator[datetime]:
    """Let one after the other change turns; gives the database's time."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ORDERED)
        yield now()


def _open() -> QuerySet[Attachment]:
    # Found by the index of what hangs on no message yet, which is little.
    return Attachment.objects.filter(message_id=None, state=State.PROCESSING, gone_at=None)


def _due(at: datetime) -> QuerySet[Attachment]:
    # What an earlier version has begun has no time of its own.
    return _open().filter(Q(due_at__lte=at) | Q(due_at=None, taken_at__lte=at - LEASE))


def _begun(at: datetime) -> QuerySet[Attachment]:
    return _open().filter(turn=None, due_at__gt=at)


def _begin(uploads: QuerySet[Attachment], at: datetime) -> bool:
    return uploads.update(turn=None, due_at=at + LEASE) == 1


def _turn_of(owner_id: UUID, at: datetime) -> int:
    """The turn of a further upload of a person's."""
    last = _open().filter(owner=owner_id).aggregate(last=Max("turn"))["last"]
    first = _due(at).aggregate(first=Min("turn"))["first"]
    return max((last or 0) + 1, first or 1)
