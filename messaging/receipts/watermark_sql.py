"""The statement that moves watermarks: many of them, in one commit.

A watermark never moves backwards nor past the last message; reading implies delivery; only members have watermarks.
Each row of the result is for one watermark, in the order given; its `status` is one of these:

* `moved`     – the participant's watermarks have changed
* `unchanged` – they had reached it before
* `locked`    – another transaction has locked the participant or the person just now: run it again
* `refused`   – the person is no member
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from accounts.people.read_receipt_privacy import SHOWS_READ
from chatproject.core.dedicated_connection import array_text
from chatproject.core.ids import uuid7
from messaging.receipts.events import LARGE_GROUP

MAX_MESSAGES_READ = 1000
"""How many of the messages that a watermark of a large group has passed are read for their senders, the latest first.
"""


@dataclass(slots=True)
class Watermark:
    """How far messages of a conversation were delivered to a person, and read by them; 0 where it is not known."""

    conversation_id: UUID
    user_id: UUID
    delivered: int
    read: int


class MoveOutcome(NamedTuple):
    """A row of the result: the watermarks as they are now, and who may know it."""

    ord: int
    status: str
    delivered: int
    read: int
    epoch: int
    has_more: bool
    """Whether more was delivered than before."""
    has_read_more: bool
    shows_read: bool
    is_blocked: bool
    """Whether one of two has blocked the other: then neither receives receipts of the other."""
    recipients: list[UUID] | None
    """The only people who receive the receipt, the senders of the messages; None: all members receive it."""
    version: int
    """The person's version at which they have read more; 0 if they have not."""

    @property
    def visible_read(self) -> int:
        """How far the person has read, as far as the others may know."""
        return self.read if self.shows_read else 0

    @property
    def is_public(self) -> bool:
        """Tell whether the others receive a receipt."""
        return not self.is_blocked and (self.has_more or (self.has_read_more and self.shows_read))


def parameters(watermarks: Sequence[Watermark]) -> dict[str, Any]:
    """Return watermarks, no two of the same participant, as the statement's arrays, with new ids for the rows that it
    may insert.
    """
    return {
        "conversations": array_text(each.conversation_id for each in watermarks),
        "users": array_text(each.user_id for each in watermarks),
        "delivered": array_text(each.delivered for each in watermarks),
        "read": array_text(each.read for each in watermarks),
        "delivered_ids": array_text(uuid7() for _ in watermarks),
        "read_ids": array_text(uuid7() for _ in watermarks),
    }


IS_BLOCKED = """m.kind = 'direct' AND EXISTS (
            SELECT 1 FROM conversations_participant o JOIN accounts_block b
                ON b.user_id = o.user_id AND b.blocked_id = m.user_id
                OR b.user_id = m.user_id AND b.blocked_id = o.user_id
            WHERE o.conversation_id = m.conversation_id AND o.user_id <> m.user_id
        )"""
LARGE_GROUPS = f"""SELECT d.conversation_id FROM (SELECT DISTINCT conversation_id FROM moved WHERE kind = 'group') d
    CROSS JOIN LATERAL (
        SELECT count(*) AS size FROM (
            SELECT 1 FROM conversations_participant p
            WHERE p.conversation_id = d.conversation_id AND p.left_at IS NULL LIMIT {LARGE_GROUP} + 1
        ) some_members
    ) n WHERE n.size > {LARGE_GROUP}"""  # noqa: S608 (a number of our own)
SENDERS_IN_LARGE_GROUPS = f"""SELECT s.*, ARRAY(
        SELECT DISTINCT t.sender_id FROM (
            SELECT x.sender_id FROM messaging_message x
            WHERE x.conversation_id = s.conversation_id AND x.position > s.since AND x.position <= s.until
                AND x.kind <> 'notice'
            ORDER BY x.position DESC LIMIT {MAX_MESSAGES_READ}
        ) t
    ) AS recipients
    FROM (SELECT DISTINCT conversation_id, since, until FROM moved JOIN large USING (conversation_id)) s"""  # noqa: S608

# Rows that another transaction has locked are left for the next time, so the statement never waits, and two of them
# cannot deadlock. What was read before the lock decides only what is tried; what is written comes from locked rows.
MOVE = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(
        %(conversations)s::uuid[], %(users)s::uuid[], %(delivered)s::bigint[], %(read)s::bigint[],
        %(delivered_ids)s::uuid[], %(read_ids)s::uuid[]
    ) WITH ORDINALITY AS t(conversation_id, user_id, delivered, read, delivered_id, read_id, ord)
), here AS MATERIALIZED (
    SELECT g.*, p.id AS participant_id, p.delivered_through, p.read_through, c.epoch, c.kind,
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
), locked AS MATERIALIZED (
    SELECT a.*, p.delivered_through AS had, p.read_through AS had_read,
        GREATEST(p.delivered_through, a.delivered_to) AS has, GREATEST(p.read_through, a.read_to) AS has_read
    FROM (SELECT * FROM ahead ORDER BY conversation_id, user_id) a
    CROSS JOIN LATERAL (
        SELECT x.delivered_through, x.read_through FROM conversations_participant x
        WHERE x.id = a.participant_id AND x.left_at IS NULL FOR NO KEY UPDATE SKIP LOCKED
    ) p
    WHERE NOT a.reads OR a.user_id IN (SELECT id FROM people)
), moved AS MATERIALIZED (
    SELECT m.*, m.has > m.had AS has_more, m.has_read > m.had_read AS has_read_more,
        CASE WHEN m.has_read > m.had_read THEN m.had_read ELSE m.had END AS since,
        CASE WHEN m.has > m.had THEN m.has ELSE m.has_read END AS until,
        {SHOWS_READ} AS shows_read,
        {IS_BLOCKED} AS is_blocked
    FROM locked m JOIN LATERAL (SELECT x.settings FROM accounts_user x WHERE x.id = m.user_id OFFSET 0) u ON true
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
    WHERE p.id = m.participant_id
), inserted AS (
    INSERT INTO messaging_messagestatus (id, conversation_id, user_id, what, after, through, at)
    SELECT r.id, m.conversation_id, m.user_id, r.what, r.after, r.through, t.at
    FROM moved m CROSS JOIN moment t CROSS JOIN LATERAL (VALUES
        (m.delivered_id, 'delivered', m.had, m.has, m.has_more),
        (m.read_id, 'read', m.had_read, m.has_read, m.has_read_more AND m.shows_read)
    ) AS r(id, what, after, through, is_news)
    WHERE r.is_news AND NOT m.is_blocked
), large AS MATERIALIZED (
    {LARGE_GROUPS}
), senders AS MATERIALIZED (
    {SENDERS_IN_LARGE_GROUPS}
)
SELECT g.ord, CASE WHEN m.ord IS NOT NULL THEN 'moved' WHEN h.ord IS NULL THEN 'refused'
        WHEN a.ord IS NULL OR k.ord IS NOT NULL THEN 'unchanged' ELSE 'locked' END,
    COALESCE(m.has, k.has, h.delivered_through, 0), COALESCE(m.has_read, k.has_read, h.read_through, 0),
    COALESCE(h.epoch, 0), COALESCE(m.has_more, false), COALESCE(m.has_read_more, false),
    COALESCE(m.shows_read, false), COALESCE(m.is_blocked, false), c.recipients, COALESCE(b.version, 0)
FROM given g
LEFT JOIN here h ON h.ord = g.ord
LEFT JOIN ahead a ON a.ord = g.ord
LEFT JOIN locked k ON k.ord = g.ord
LEFT JOIN moved m ON m.ord = g.ord
LEFT JOIN bumped b ON b.id = m.user_id AND m.has_read_more
LEFT JOIN senders c ON (c.conversation_id, c.since, c.until) = (m.conversation_id, m.since, m.until)
ORDER BY g.ord
"""  # noqa: S608 (parts of our own)
