"""A page of a conversation as one statement, which also checks the session and the membership.

Its first column is the generation of the database; the others are those of a message, NULL if there is none.
"""

from datetime import timedelta

from messaging.access import visible

# The session must be live and its person not suspended, and nothing must be due to be written about its use. Weeks in
# which nothing can be are left out: those that are not read any more, and those ahead.
PAGE = f"""
SELECT g.number, m.* FROM accounts_session s
JOIN chatproject_generation g ON g.id = 1
JOIN accounts_user u ON u.id = s.user_id AND u.is_active AND u.suspended_at IS NULL
JOIN conversations_participant p ON p.conversation_id = %(conversation)s AND p.user_id = s.user_id AND p.left_at IS NULL
JOIN conversations_conversation c ON c.id = p.conversation_id
LEFT JOIN LATERAL (
    SELECT m.id, m.conversation_id, m.position, m.version, m.sender_id, m.kind, m.body, m.reply_to_id, m.mentions,
        m.created_at, m.edited_at, m.deleted_at
    FROM messaging_message m
    WHERE m.id >= %(first_id)s AND m.id < %(end_id)s AND m.position {{side}} %(position)s
        AND {visible("m", "p", "c")}
    ORDER BY m.position {{order}} LIMIT %(count)s
) m ON true
WHERE s.id = %(session)s AND s.ended_at IS NULL AND s.user_id = %(user)s
    AND s.last_seen_at > clock_timestamp() - interval '{{exact_to}} seconds'
    AND (s.refresh_id IS DISTINCT FROM %(pair)s OR s.refresh_used)
"""  # noqa: S608 (parts of our own)


def page_statement(*, side: str, order: str, exact_to: timedelta) -> str:
    """Write the statement for one direction."""
    return PAGE.format(side=side, order=order, exact_to=exact_to.total_seconds())
