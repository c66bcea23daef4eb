"""The numbers on the start page of the admin: each process counts them at most once a minute.

No count reads more than `COUNT_LIMIT` rows. Messages are counted as they come, by a follower of the change log.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any

from django.db import connection
from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from redis.exceptions import RedisError

from accounts.models import AuditEntry, User
from chatproject.core.database import without_connection
from chatproject.core.ids import first_id_at
from messaging.models import Blob, Report
from messaging.moderation.connections import count
from messaging.moderation.message_counts import counting_lag, messages_by_day, messages_since

DAYS = 30
COUNT_LIMIT = 100_000
CACHE_SECONDS = 60
PAST_CACHE_SECONDS = 3600
DAY = timedelta(days=1)

BY_DAY = """
SELECT (SELECT count(*) FROM (SELECT FROM accounts_user WHERE id >= low AND id < high LIMIT %s) counted)
FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS days (low, high, number) ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class CappedCount:
    """A count that stops at `COUNT_LIMIT` rows; None if it is unknown, as when Redis does not answer."""

    value: int | None

    @property
    def is_capped(self) -> bool:
        return self.value is not None and self.value >= COUNT_LIMIT


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers of the whole site at one time."""

    at: datetime
    people: CappedCount
    connected_people: CappedCount
    connected_devices: CappedCount
    media_bytes: int
    media_files: CappedCount
    database_bytes: int
    open_reports: CappedCount
    waiting_jobs: CappedCount
    failed_jobs: CappedCount
    messages: Sequence[tuple[date, int]]
    """Messages and notices of each of the last `DAYS` days; the last entry is today."""
    messages_lag: float | None
    """How many seconds ago a message may have been stored that is not counted yet; None while all are counted anew."""
    newcomers: Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class News:
    """What is new since a staff member looked at the overview last."""

    since: datetime
    """The beginning of the hour of that look."""
    messages: int
    people: int
    reports: int


def news_for(by: User) -> News | None:
    """Count what is new for a staff member; None if they have not looked before."""
    looked_at = AuditEntry.objects.filter(by=by, action=AuditEntry.Action.SEE_OVERVIEW).aggregate(at=Max("at"))["at"]
    if looked_at is None:
        return None
    hour = looked_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return News(
        since=hour,
        messages=messages_since(hour),
        people=User.objects.filter(pk__gte=first_id_at(hour), is_bot=False).count(),
        reports=Report.objects.filter(pk__gte=first_id_at(hour)).count(),
    )


class NewcomersByDay:
    """The number of people who came on each day, by the time at the beginning of their ids; cached."""

    def __init__(self) -> None:
        self._cached: dict[date, tuple[float, int]] = {}

    def load(self, days: Sequence[date]) -> list[tuple[date, int]]:
        """Count the people of these days, the last of which is today; query only the days that are not cached."""
        now = time.monotonic()
        cached = {day: entry for day, entry in self._cached.items() if day in days and entry[0] > now}
        missing = [day for day in days if day not in cached]
        for day, number in zip(missing, self._count(missing), strict=True):
            cached[day] = (now + (CACHE_SECONDS if day == days[-1] else PAST_CACHE_SECONDS), number)
        self._cached = cached
        return [(day, cached[day][1]) for day in days]

    def _count(self, days: Sequence[date]) -> list[int]:
        starts = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
        low, high = ([str(first_id_at(moment + more)) for moment in starts] for more in (timedelta(), DAY))
        with connection.cursor() as cursor:
            cursor.execute(BY_DAY, [COUNT_LIMIT, low, high])
            return [number for (number,) in cursor.fetchall()]


class OverviewCache:
    """Caches the overview of this process for a minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        self._overview: tuple[float, Overview] | None = None
        self._newcomers = NewcomersByDay()

    def load(self) -> Overview:
        """Return the overview, which is at most a minute old."""
        with without_connection(), self._lock:
            if self._overview is None or self._overview[0] < time.monotonic():
                self._overview = (time.monotonic() + CACHE_SECONDS, self._count())
            return self._overview[1]

    def _count(self) -> Overview:
        today = timezone.now().astimezone(UTC).date()
        days = [today - DAY * n for n in reversed(range(DAYS))]
        jobs = ProcrastinateJob.objects
        people, devices = _count_connected()
        media_bytes, media_files = _measure_media()
        return Overview(
            at=timezone.now(),
            people=_capped_count(User.objects.filter(is_active=True, is_bot=False)),
            connected_people=people,
            connected_devices=devices,
            media_bytes=media_bytes,
            media_files=media_files,
            database_bytes=_database_bytes(),
            open_reports=_capped_count(Report.objects.filter(resolved_at=None)),
            waiting_jobs=_capped_count(jobs.filter(status="todo")),
            failed_jobs=_capped_count(jobs.filter(status="failed")),
            messages=messages_by_day(days),
            messages_lag=counting_lag(),
            newcomers=self._newcomers.load(days),
        )


def _capped_count(found: QuerySet[Any]) -> CappedCount:
    return CappedCount(found.order_by()[:COUNT_LIMIT].count())


def _count_connected() -> tuple[CappedCount, CappedCount]:
    """Count the people and devices that are connected to all servers; only Redis knows them."""
    try:
        counted = count()
    except RedisError:
        return CappedCount(None), CappedCount(None)
    return CappedCount(counted["connected_users"]), CappedCount(counted["connected_sockets"])


def _measure_media() -> tuple[int, CappedCount]:
    """Return the total size and the number of the stored files."""
    some = Blob.objects.order_by().values("size")[:COUNT_LIMIT]
    found = some.aggregate(bytes=Sum("size"), files=Count("*"))
    return found["bytes"] or 0, CappedCount(found["files"])


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size: int = cursor.fetchone()[0]
    return size


overview_cache = OverviewCache()
