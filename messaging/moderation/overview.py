"""How the place is, in numbers for the staff's first page: counted at most once a minute by each process.

Nothing here reads more than `COUNTED_MOST` rows for one number, or more than one day's ids of messages for what may
still change: those of days gone by are remembered.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from redis.exceptions import RedisError

from accounts.models import User
from chatproject.core.database import without_connection
from chatproject.core.ids import first_id_at
from messaging.models import Blob, Report
from messaging.moderation.connections import count

DAYS = 30
COUNTED_MOST = 100_000
KEPT_SECONDS = 60
# An id may be seven days old when it arrives, so that the days before today may still get some.
KEPT_SECONDS_OF_THE_PAST = 3600
DAY = timedelta(days=1)

BY_DAY = """
SELECT (SELECT count(*) FROM (SELECT FROM {table} WHERE id >= low AND id < high LIMIT %s) counted)
FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS days (low, high, number) ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class Number:
    """A count that went no further than `COUNTED_MOST` rows; None where nobody could tell."""

    value: int | None

    @property
    def is_capped(self) -> bool:
        return self.value is not None and self.value >= COUNTED_MOST


@dataclass(frozen=True, slots=True)
class Overview:
    """How the place is, at a moment."""

    at: datetime
    people: Number
    connected_people: Number
    connected_devices: Number
    media_bytes: int
    media_files: Number
    database_bytes: int
    open_reports: Number
    waiting_jobs: Number
    failed_jobs: Number
    messages: Sequence[tuple[date, int]]
    """For each of the last days, the last of them today: messages and notices."""
    newcomers: Sequence[tuple[date, int]]


class Days:
    """How many rows of a table each day brought, by their ids, which begin with the time."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._kept: dict[date, tuple[float, int]] = {}

    def last(self, days: Sequence[date]) -> list[tuple[date, int]]:
        """Count the rows of these days, the last of which is today; ask only for what is not remembered."""
        now = time.monotonic()
        kept = {day: known for day, known in self._kept.items() if day in days and known[0] > now}
        asked = [day for day in days if day not in kept]
        for day, number in zip(asked, self._ask(asked), strict=True):
            kept[day] = (now + (KEPT_SECONDS if day == days[-1] else KEPT_SECONDS_OF_THE_PAST), number)
        self._kept = kept
        return [(day, kept[day][1]) for day in days]

    def _ask(self, days: Sequence[date]) -> list[int]:
        begins = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]
        low, high = ([str(first_id_at(moment + more)) for moment in begins] for more in (timedelta(), DAY))
        with connection.cursor() as cursor:
            cursor.execute(BY_DAY.format(table=self._table), [COUNTED_MOST, low, high])
            return [number for (number,) in cursor.fetchall()]


class Lookout:
    """Counts, and remembers for a minute what it counted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        self._seen: tuple[float, Overview] | None = None
        self._messages, self._newcomers = Days("messaging_message"), Days("accounts_user")

    def look(self) -> Overview:
        """Give how the place is, as of a minute ago at most."""
        with without_connection(), self._lock:
            if self._seen is None or self._seen[0] < time.monotonic():
                self._seen = (time.monotonic() + KEPT_SECONDS, self._count())
            return self._seen[1]

    def _count(self) -> Overview:
        today = timezone.now().astimezone(UTC).date()
        days = [today - DAY * n for n in reversed(range(DAYS))]
        jobs = ProcrastinateJob.objects
        people, devices = _connected()
        media_bytes, media_files = _media()
        return Overview(
            at=timezone.now(),
            people=_number(User.objects.filter(is_active=True, is_bot=False)),
            connected_people=people,
            connected_devices=devices,
            media_bytes=media_bytes,
            media_files=media_files,
            database_bytes=_database_bytes(),
            open_reports=_number(Report.objects.filter(resolved_at=None)),
            waiting_jobs=_number(jobs.filter(status="todo")),
            failed_jobs=_number(jobs.filter(status="failed")),
            messages=self._messages.last(days),
            newcomers=self._newcomers.last(days),
        )


def _number(found: QuerySet[Any]) -> Number:
    return Number(found.order_by()[:COUNTED_MOST].count())


def _connected() -> tuple[Number, Number]:
    """Count who is connected to all servers, which Redis alone knows."""
    try:
        counted = count()
    except RedisError:
        return Number(None), Number(None)
    return Number(counted["connected_users"]), Number(counted["connected_sockets"])


def _media() -> tuple[int, Number]:
    """Add up what is stored, and count it."""
    some = Blob.objects.order_by().values("size")[:COUNTED_MOST]
    found = some.aggregate(bytes=Sum("size"), files=Count("*"))
    return found["bytes"] or 0, Number(found["files"])


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size: int = cursor.fetchone()[0]
    return size


lookout = Lookout()
