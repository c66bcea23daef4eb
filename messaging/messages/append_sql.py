"""The append as one statement: many messages, checked against locked rows and stored in one commit.

Each row of the result is for one draft, in the order given; its `status` is one of these:

* `new`      – the message is stored, at `position`
* `repeated` – a message with that id is stored already; the caller compares the two
* `retry`    – membership changed between the statement's snapshot and its lock: run it again
* `refused`  – the sender is no member or is barred, the time in the id is out of bounds, or the message replied to does
  not exist for the sender
"""

from collections.abc import Sequence
from itertools import product
from typing import Any

from chatproject.core.dedicated_connection import array_text
from messaging.access import visible
from messaging.messages.draft import Draft
from messaging.messages.mentions import MENTIONS, arrays_of_names

# An array alone would not tell PostgreSQL in which weeks it need not look for an id; its two ends do.
#
# `c` locks the conversation and reads its newest row; `w` reads the row of the statement's snapshot, and so do the
# joins with participants. Where the two epochs agree, the membership that was read is as new as the lock, because every
# change that takes a right away bumps the epoch under that lock. `OFFSET 0` keeps the planner from merging the two.
APPEND = """
WITH i AS MATERIALIZED (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(conversations)s::uuid[], %(senders)s::uuid[], %(kinds)s::text[],
        %(bodies)b::bytea[], %(replies)s::uuid[], %(timely)s::boolean[]
    ) WITH ORDINALITY AS t(id, conversation_id, sender_id, kind, body, reply_to_id, timely, ord)
), seen AS MATERIALIZED (
    SELECT m.id FROM messaging_message m
    WHERE m.id = ANY(%(ids)s::uuid[]) AND m.id >= %(first_id)s::uuid AND m.id <= %(last_id)s::uuid
), locked AS MATERIALIZED (
    SELECT c.id, c.epoch, c.version, c.last_position, c.min_position, w.epoch = c.epoch AS fresh
    FROM unnest(%(locks)s::uuid[]) AS d(id)
    CROSS JOIN LATERAL (
        SELECT x.id, x.epoch, x.version, x.last_position, x.min_position
        FROM conversations_conversation x WHERE x.id = d.id
        FOR NO KEY UPDATE
    ) c
    CROSS JOIN LATERAL (SELECT y.epoch FROM conversations_conversation y WHERE y.id = d.id OFFSET 0) w
), checked AS MATERIALIZED (
    SELECT i.*, l.epoch, l.version AS base, l.last_position, l.fresh, s.id IS NOT NULL AS seen,
        p.user_id IS NOT NULL AND l.id IS NOT NULL AS is_member, COALESCE(p.barred, false) AS barred,
        i.reply_to_id IS NULL OR r.id IS NOT NULL AS reply_exists
    FROM i
    LEFT JOIN seen s ON s.id = i.id
    LEFT JOIN locked l ON l.id = i.conversation_id
    LEFT JOIN LATERAL (
        SELECT q.conversation_id, q.user_id, q.barred, q.visible_from, q.reads, q.left_at
        FROM conversations_participant q
        WHERE q.conversation_id = i.conversation_id AND q.user_id = i.sender_id AND q.left_at IS NULL OFFSET 0
    ) p ON true
    {replies}
), accepted AS MATERIALIZED (
    SELECT j.*, row_number() OVER (PARTITION BY j.conversation_id ORDER BY j.ord) AS n
    FROM checked j
    WHERE NOT j.seen AND j.fresh AND j.is_member AND NOT j.barred AND j.timely AND j.reply_exists
), counted AS MATERIALIZED (
    SELECT a.conversation_id, count(*) AS total, clock_timestamp() AS now FROM accepted a GROUP BY a.conversation_id
), bumped AS (
    UPDATE conversations_conversation c
    SET version = c.version + k.total, last_position = c.version + k.total, last_spoken = c.version + k.total,
        changed_at = k.now, active_at = k.now
    FROM counted k WHERE c.id = k.conversation_id
), first AS MATERIALIZED (
    SELECT DISTINCT ON (a.conversation_id) a.conversation_id, a.sender_id, a.base, a.last_position
    FROM accepted a ORDER BY a.conversation_id, a.n
), marks AS MATERIALIZED (
    SELECT f.conversation_id, f.sender_id, f.last_position, f.base + COALESCE(
        (SELECT min(a.n) - 1 FROM accepted a
            WHERE a.conversation_id = f.conversation_id AND a.sender_id <> f.sender_id),
        (SELECT k.total FROM counted k WHERE k.conversation_id = f.conversation_id)
    ) AS through
    FROM first f
{mentioned_people}
), marked AS (
    UPDATE conversations_participant p
    SET read_through = CASE WHEN p.read_through >= m.last_position THEN m.through ELSE p.read_through END,
        delivered_through = m.through
    FROM marks m
    WHERE p.conversation_id = m.conversation_id AND p.user_id = m.sender_id AND p.delivered_through >= m.last_position
), stored AS (
    INSERT INTO messaging_message
        (id, conversation_id, position, version, sender_id, kind, body, reply_to_id, mentions, created_at)
    SELECT a.id, a.conversation_id, a.base + a.n, a.base + a.n, a.sender_id, a.kind, a.body,
        a.reply_to_id, {mentions}, date_trunc('milliseconds', clock_timestamp())
    FROM accepted a {with_mentioned_people}
    RETURNING id, position, mentions, created_at
)
SELECT j.ord,
    CASE WHEN m.id IS NOT NULL THEN 'new' WHEN j.seen THEN 'repeated'
        WHEN j.fresh IS NOT TRUE AND j.epoch IS NOT NULL THEN 'retry' ELSE 'refused' END,
    COALESCE(m.position, 0), COALESCE((extract(epoch FROM m.created_at) * 1000)::bigint, 0), COALESCE(j.epoch, 0),
    j.is_member, j.barred, j.reply_exists, m.mentions
FROM checked j LEFT JOIN stored m ON m.id = j.id
ORDER BY j.ord
"""

# Parts of the statement. Everything that is appended counts as said (`messaging.said`): drafts are no notices.
OLDEST = "clock_timestamp() - %(retention)s::interval"
REPLIES = f"""LEFT JOIN LATERAL (
        SELECT o.id FROM messaging_message o
        WHERE o.id = i.reply_to_id AND o.deleted_at IS NULL AND o.kind <> 'notice'
            AND {visible("o", "p", "l", oldest=OLDEST)} OFFSET 0
    ) r ON true"""  # noqa: S608 (a part of our own)
NO_REPLIES = "CROSS JOIN LATERAL (SELECT NULL::uuid AS id) r"


def _form(*, replies: bool, mentions: bool) -> str:
    """Write the statement, with or without the parts that look up messages replied to and people mentioned."""
    form = APPEND.replace("{replies}", REPLIES if replies else NO_REPLIES)
    form = form.replace("{mentioned_people}", f"), mentioned_people AS MATERIALIZED ({MENTIONS}" if mentions else "")
    form = form.replace("{with_mentioned_people}", "LEFT JOIN mentioned_people e ON e.ord = a.ord" if mentions else "")
    return form.replace("{mentions}", "e.ids" if mentions else "NULL")


FORMS = {each: _form(replies=each[0], mentions=each[1]) for each in product((False, True), repeat=2)}


def statement(drafts: Sequence[Draft]) -> str:
    """Choose the form of the statement that these drafts need: most need no look-up of replies and mentions."""
    return FORMS[any(draft.reply_to_id for draft in drafts), _have_names(drafts)]


def parameters(drafts: Sequence[Draft], *, retention_days: int) -> dict[str, Any]:
    """Return the drafts as the statement's arrays; each conversation is locked once, in the order of ids."""
    ids = [str(draft.id) for draft in drafts]
    return {
        "ids": array_text(ids),
        "first_id": min(ids, default=None),
        "last_id": max(ids, default=None),
        "conversations": array_text(draft.conversation_id for draft in drafts),
        "senders": array_text(draft.sender_id for draft in drafts),
        "kinds": array_text(draft.kind for draft in drafts),
        "bodies": [draft.body for draft in drafts],
        "replies": array_text(draft.reply_to_id for draft in drafts),
        "timely": array_text("t" if draft.is_timely else "f" for draft in drafts),
        # As text they sort in the same order, and faster.
        "locks": array_text(sorted({str(draft.conversation_id) for draft in drafts})),
        "retention": f"{retention_days} days",
        **(arrays_of_names([draft.names for draft in drafts]) if _have_names(drafts) else {}),
    }


def _have_names(drafts: Sequence[Draft]) -> bool:
    return any(draft.names for draft in drafts)
