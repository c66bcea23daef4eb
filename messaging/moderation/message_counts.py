"""Counting messages without reading them again: a follower of the change log adds up what is new."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import TruncDate

from chatproject.core.dedicated_connection import array_text
from chatproject.core.ids import first_id_at
from conversations.change_log.delays import delays
from conversations.change_log.entries import Change
from messaging.models import MessageCount

OLDEST_ID = timedelta(days=7, hours=1)
"""How old the id of a message that is stored now may be, and what clocks may differ by; older weeks need no look."""
# `OFFSET 0` keeps the planner from reading whole weeks at once instead of an index for each change.
ADD = """
INSERT INTO messaging_messagecount AS c (hour, messages)
SELECT date_trunc('hour', m.created_at, 'UTC'), count(*)
FROM unnest(%(ids)s::uuid[], %(after)s::bigint[], %(through)s::bigint[]) AS changed (id, after, through)
CROSS JOIN LATERAL (
    SELECT x.created_at FROM messaging_message x
    WHERE x.conversation_id = changed.id AND x.position > changed.after AND x.position <= changed.through
        AND x.id >= %(oldest)s::uuid
    OFFSET 0
) m
GROUP BY 1
ON CONFLICT (hour) DO UPDATE SET messages = c.messages + excluded.messages
"""


class MessageCounts:
    """The follower that keeps `MessageCount`."""

    name = "message counts"

    def reset(self) -> None:
        MessageCount.objects.all().delete()

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        """Count the messages that appeared in these changes. A message's position never changes, so each counts once.

        A change that deletes a conversation counts nothing: its messages are gone, or will be.
        """
        counted = [change for change in changes if change.through is not None]
        values: dict[str, Any] = {
            "ids": array_text(change.conversation_id for change in counted),
            "after": array_text(change.after for change in counted),
            "through": array_text(change.through for change in counted),
            "oldest": first_id_at((since or datetime.fromtimestamp(0, UTC) + OLDEST_ID) - OLDEST_ID),
        }
        with connection.cursor() as cursor:
            cursor.execute(ADD, values)


def messages_by_day(days: Sequence[date]) -> list[tuple[date, int]]:
    """Return how many messages were stored on each of these days (UTC)."""
    known = MessageCount.objects.filter(hour__gte=_midnight(min(days))).annotate(day=TruncDate("hour", tzinfo=UTC))
    counted = dict(known.values_list("day").annotate(total=Sum("messages")).values_list("day", "total"))
    return [(day, counted.get(day, 0)) for day in days]


def messages_since(hour: datetime) -> int:
    """Return how many messages were stored since the beginning of an hour."""
    return MessageCount.objects.filter(hour__gte=hour).aggregate(total=Sum("messages"))["total"] or 0


def counting_lag() -> float | None:
    """Return for how many seconds messages may have gone uncounted; None while all of them are counted anew."""
    (delay,) = delays([MessageCounts.name])
    return None if delay.is_rebuilding else delay.seconds


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
