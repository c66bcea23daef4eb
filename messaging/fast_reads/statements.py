"""A page of a conversation, or one message, as one statement, which also checks the session and the membership.

Its first column is the generation of the database; the others are those of a message, NULL if there is none.
"""

from accounts.auth.sessions import IS_IN_USE
from messaging.access import visible

SESSION = f"s.id = %(session)s AND s.user_id = %(user)s AND {IS_IN_USE}"
FROM = """accounts_session s
JOIN chatproject_generation g ON g.id = 1
JOIN accounts_user u ON u.id = s.user_id
JOIN conversations_participant p ON p.user_id = s.user_id AND p.left_at IS NULL
JOIN conversations_conversation c ON c.id = p.conversation_id"""
COLUMNS = """m.id, m.conversation_id, m.position, m.version, m.sender_id, m.kind, m.body, m.reply_to_id, m.mentions,
    m.created_at, m.edited_at, m.deleted_at"""
# Weeks in which nothing can be are left out: those that are not read any more, and those ahead.
PAGE = f"""
SELECT g.number, m.* FROM {FROM}
LEFT JOIN LATERAL (
    SELECT {COLUMNS} FROM messaging_message m
    WHERE m.id >= %(first_id)s AND m.id < %(end_id)s AND m.position {{side}} %(position)s
        AND {visible("m", "p", "c")}
    ORDER BY m.position {{order}} LIMIT %(count)s
) m ON true
WHERE {SESSION} AND p.conversation_id = %(conversation)s
"""  # noqa: S608 (parts of our own)
BACKWARD = PAGE.format(side="<", order="DESC")
FORWARD = PAGE.format(side=">", order="ASC")
MESSAGE = f"""
SELECT g.number, {COLUMNS} FROM messaging_message m JOIN ({FROM}) ON p.conversation_id = m.conversation_id
WHERE m.id = %(message)s AND {SESSION} AND {visible("m", "p", "c")}
"""  # noqa: S608
