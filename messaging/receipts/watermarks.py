"""How far people have had and read what was said: many marks, one statement, one commit.

A mark never moves backwards nor past the end, reading implies having had, and it moves only where the person is in.
Each row of the answer is for one mark, in the order given, with `what` came of it:

* `moved`    – the person's place has changed
* `as_it_is` – it had come as far before
* `waiting`  – someone holds the place, or the person, just now: ask again
* `refused`  – the person is not in
"""

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import IntegrityError, connection, transaction

from accounts.changes import PersonalSettingsChanged
from chatproject.core import metrics
from chatproject.core.database import array_text
from chatproject.core.errors import Unavailable
from chatproject.core.ids import uuid7
from chatproject.core.realtime import HubEvent, publish
from conversations.models import Conversation
from messaging.receipts.events import EVERYONE_HEARS, News, Receipt, receipts_changed
from messaging.retention.partitions import make_partitions

logger = logging.getLogger(__name__)

TRIES = 20
PAUSE = 0.05
MESSAGES_LOOKED_AT = 1000
"""How many of the messages that a mark in a large group is about are asked who sent them, the latest first."""


@dataclass(slots=True)
class Mark:
    """How far someone says they have come in a conversation; 0 says nothing."""

    conversation_id: UUID
    user_id: UUID
    delivered: int
    read: int


class Outcome(NamedTuple):
    """A row of the answer: the place as it is now, and who may know what of it."""

    ord: int
    what: str
    delivered: int
    read: int
    epoch: int
    has_more: bool
    """Whether more was delivered than before."""
    has_read_more: bool
    shows_read: bool
    is_stopped: bool
    """Whether one of two has blocked the other: then neither hears of the other."""
    hearers: list[UUID] | None
    """Whose words these marks are about, where nobody else is told; None: everyone who is in is told."""
    version: int
    """The person's own, at which they have read more; 0 if they have not."""

    @property
    def shown_read(self) -> int:
        """How far the others are told that the person has read."""
        return self.read if self.shows_read else 0

    @property
    def is_told(self) -> bool:
        """Tell whether this is news for the others."""
        return not self.is_stopped and (self.has_more or (self.has_read_more and self.shows_read))


SHOWS_READ = "(u.settings ->> 'read_receipts') IS DISTINCT FROM 'false'"
IS_STOPPED = """m.kind = 'direct' AND EXISTS (
            SELECT 1 FROM conversations_participant o JOIN accounts_block b
                ON b.user_id = o.user_id AND b.blocked_id = m.user_id
                OR b.user_id = m.user_id AND b.blocked_id = o.user_id
            WHERE o.conversation_id = m.conversation_id AND o.user_id <> m.user_id
        )"""
LARGE = f"""SELECT d.conversation_id FROM (SELECT DISTINCT conversation_id FROM moved WHERE kind = 'group') d
    CROSS JOIN LATERAL (
        SELECT count(*) AS size FROM (
            SELECT 1 FROM conversations_participant p
            WHERE p.conversation_id = d.conversation_id AND p.left_at IS NULL LIMIT {EVERYONE_HEARS} + 1
        ) some_members
    ) n WHERE n.size > {EVERYONE_HEARS}"""  # noqa: S608 (a number of our own)
CONCERNED = f"""SELECT s.*, ARRAY(
        SELECT DISTINCT t.sender_id FROM (
            SELECT x.sender_id FROM messaging_message x
            WHERE x.conversation_id = s.conversation_id AND x.position > s.since AND x.position <= s.until
                AND x.kind <> 'notice'
            ORDER BY x.position DESC LIMIT {MESSAGES_LOOKED_AT}
        ) t
    ) AS hearers
    FROM (SELECT DISTINCT conversation_id, since, until FROM moved JOIN large USING (conversation_id)) s"""  # noqa: S608

# Whatever is locked by someone is left for the next time: so this waits for nobody, and no two can wait for each other.
# What was read before the lock decides only what is tried; what is written comes from the locked rows.
MOVE = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(
        %(conversations)s::uuid[], %(users)s::uuid[], %(delivered)s::bigint[], %(read)s::bigint[],
        %(delivered_ids)s::uuid[], %(read_ids)s::uuid[]
    ) WITH ORDINALITY AS t(conversation_id, user_id, delivered, read, delivered_id, read_id, ord)
), here AS MATERIALIZED (
    SELECT g.*, p.id AS place_id, p.delivered_through, p.read_through, c.epoch, c.kind,
        LEAST(g.read, c.last_position) AS read_to, LEAST(GREATEST(g.delivered, g.read), c.last_position) AS delivered_to
    FROM given g
    CROSS JOIN LATERAL (
        SELECT q.id, q.delivered_through, q.read_through FROM conversations_participant q
        WHERE q.conversation_id = g.conversation_id AND q.user_id = g.user_id AND q.left_at IS NULL OFFSET 0
    ) p
    CROSS JOIN LATERAL (
        SELECT x.epoch, x.kind, x.last_position FROM conversations_conversation x
        WHERE x.id = g.conversation_id OFFSET 0
    ) c
), ahead AS MATERIALIZED (
    SELECT h.*, h.read_to > h.read_through AS reads FROM here h
    WHERE h.delivered_to > h.delivered_through OR h.read_to > h.read_through
), people AS MATERIALIZED (
    SELECT u.id FROM (SELECT DISTINCT a.user_id FROM ahead a WHERE a.reads ORDER BY a.user_id) d
    CROSS JOIN LATERAL (
        SELECT x.id FROM accounts_user x WHERE x.id = d.user_id FOR NO KEY UPDATE SKIP LOCKED
    ) u
), held AS MATERIALIZED (
    SELECT a.*, p.delivered_through AS had, p.read_through AS had_read,
        GREATEST(p.delivered_through, a.delivered_to) AS has, GREATEST(p.read_through, a.read_to) AS has_read
    FROM (SELECT * FROM ahead ORDER BY conversation_id, user_id) a
    CROSS JOIN LATERAL (
        SELECT x.delivered_through, x.read_through FROM conversations_participant x
        WHERE x.id = a.place_id AND x.left_at IS NULL FOR NO KEY UPDATE SKIP LOCKED
    ) p
    WHERE NOT a.reads OR a.user_id IN (SELECT id FROM people)
), moved AS MATERIALIZED (
    SELECT m.*, m.has > m.had AS has_more, m.has_read > m.had_read AS has_read_more,
        CASE WHEN m.has_read > m.had_read THEN m.had_read ELSE m.had END AS since,
        CASE WHEN m.has > m.had THEN m.has ELSE m.has_read END AS until,
        {SHOWS_READ} AS shows_read,
        {IS_STOPPED} AS is_stopped
    FROM held m JOIN LATERAL (SELECT x.settings FROM accounts_user x WHERE x.id = m.user_id OFFSET 0) u ON true
    WHERE m.has > m.had OR m.has_read > m.had_read
), moment AS MATERIALIZED (
    SELECT date_trunc('milliseconds', clock_timestamp()) AS at
), bumped AS (
    UPDATE accounts_user u SET version = u.version + 1
    FROM (SELECT DISTINCT user_id FROM moved WHERE has_read_more) d WHERE u.id = d.user_id
    RETURNING u.id, u.version
), stored AS (
    UPDATE conversations_participant p
    SET delivered_through = m.has, read_through = m.has_read, changed_at = t.at,
        me_version = COALESCE(b.version, p.me_version)
    FROM moved m CROSS JOIN moment t LEFT JOIN bumped b ON b.id = m.user_id AND m.has_read_more
    WHERE p.id = m.place_id
), noted AS (
    INSERT INTO messaging_messagestatus (id, conversation_id, user_id, what, after, through, at)
    SELECT r.id, m.conversation_id, m.user_id, r.what, r.after, r.through, t.at
    FROM moved m CROSS JOIN moment t CROSS JOIN LATERAL (VALUES
        (m.delivered_id, 'delivered', m.had, m.has, m.has_more),
        (m.read_id, 'read', m.had_read, m.has_read, m.has_read_more AND m.shows_read)
    ) AS r(id, what, after, through, is_news)
    WHERE r.is_news AND NOT m.is_stopped
), large AS MATERIALIZED (
    {LARGE}
), concerned AS MATERIALIZED (
    {CONCERNED}
)
SELECT g.ord, CASE WHEN m.ord IS NOT NULL THEN 'moved' WHEN h.ord IS NULL THEN 'refused'
        WHEN a.ord IS NULL OR k.ord IS NOT NULL THEN 'as_it_is' ELSE 'waiting' END,
    COALESCE(m.has, k.has, h.delivered_through, 0), COALESCE(m.has_read, k.has_read, h.read_through, 0),
    COALESCE(h.epoch, 0), COALESCE(m.has_more, false), COALESCE(m.has_read_more, false),
    COALESCE(m.shows_read, false), COALESCE(m.is_stopped, false), c.hearers, COALESCE(b.version, 0)
FROM given g
LEFT JOIN here h ON h.ord = g.ord
LEFT JOIN ahead a ON a.ord = g.ord
LEFT JOIN held k ON k.ord = g.ord
LEFT JOIN moved m ON m.ord = g.ord
LEFT JOIN bumped b ON b.id = m.user_id AND m.has_read_more
LEFT JOIN concerned c ON (c.conversation_id, c.since, c.until) = (m.conversation_id, m.since, m.until)
ORDER BY g.ord
"""  # noqa: S608 (pieces of our own)


HELD = (
    "SELECT 1 FROM accounts_user WHERE id = %(user)s FOR NO KEY UPDATE",
    """SELECT 1 FROM conversations_participant WHERE conversation_id = %(conversation)s AND user_id = %(user)s
    FOR NO KEY UPDATE""",
)


def parameters(marks: Sequence[Mark]) -> dict[str, Any]:
    """Lay marks out as the statement's arrays, no two of the same place; the runs are named here and now."""
    return {
        "conversations": array_text(mark.conversation_id for mark in marks),
        "users": array_text(mark.user_id for mark in marks),
        "delivered": array_text(mark.delivered for mark in marks),
        "read": array_text(mark.read for mark in marks),
        "delivered_ids": array_text(uuid7() for _ in marks),
        "read_ids": array_text(uuid7() for _ in marks),
    }


def posts(marks: Sequence[Mark], outcomes: Sequence[Outcome]) -> list[HubEvent]:
    """Address what has moved to those who may know it, and what someone has read to their own devices."""
    news: list[News] = []
    settled: dict[tuple[UUID, int], list[UUID]] = {}
    for mark, outcome in zip(marks, outcomes, strict=True):
        if outcome.version:
            settled.setdefault((mark.user_id, outcome.version), []).append(mark.conversation_id)
        if outcome.is_told:
            receipt = Receipt(mark.user_id, outcome.delivered, outcome.shown_read, outcome.has_more)
            news.append(News(mark.conversation_id, outcome.epoch, receipt, outcome.hearers))
    personal = [PersonalSettingsChanged(*person, ids) for person, ids in settled.items()]
    return [*receipts_changed(news), *personal]


def move(mark: Mark) -> Outcome:
    """Move one mark on this thread's connection, in its transaction if there is one; publish on commit.

    Conversation.DoesNotExist for a stranger, Unavailable if someone holds the place for long.
    """
    for _ in range(TRIES):
        outcome = _try(mark)
        if outcome is not None and outcome.what == "refused":
            raise Conversation.DoesNotExist
        if outcome is not None and outcome.what != "waiting":
            told = posts([mark], [outcome])
            transaction.on_commit(partial(publish, told))
            transaction.on_commit(partial(metrics.MARKS.inc, outcome.what == "moved"))
            return outcome
        _wait_for(mark)
    raise Unavailable("This could not be noted just now. Please try again.")


def _wait_for(mark: Mark) -> None:
    """Wait until nobody holds what a mark needs, one after the other and holding nothing meanwhile; within a larger
    transaction, which may hold what others wait for, only for a moment.
    """
    if connection.in_atomic_block:
        time.sleep(PAUSE)
        return
    with connection.cursor() as cursor:
        for held in HELD:
            cursor.execute(held, {"user": mark.user_id, "conversation": mark.conversation_id})


def _try(mark: Mark) -> Outcome | None:
    """Run the statement; None if it is to be run again, because its week was not there."""
    guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with guard, connection.cursor() as cursor:
            cursor.execute(MOVE, parameters([mark]))
            return Outcome(*cursor.fetchone())
    except IntegrityError as error:
        if not isinstance(error.__cause__, psycopg.errors.CheckViolation):
            raise
        logger.critical("no partition for a receipt; making the missing weeks now")
        make_partitions()
    return None
