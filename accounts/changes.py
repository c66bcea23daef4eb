"""Telling the servers of some people that something of theirs has changed."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from chatproject.core.realtime import Post, publish, user_group

BUMP = """
WITH u AS MATERIALIZED (SELECT id FROM accounts_user WHERE id = ANY(%(people)s) ORDER BY id FOR NO KEY UPDATE)
UPDATE accounts_user
SET version = version + 1,
    contacts_changed_at = CASE WHEN %(contacts)s THEN clock_timestamp() ELSE contacts_changed_at END
FROM u WHERE accounts_user.id = u.id
RETURNING u.id, version
"""


def announce_change(*, people: Iterable[UUID], contacts: bool = False, settled: Iterable[UUID] = ()) -> dict[UUID, int]:
    """Tell the servers of some people that something of theirs has changed: a conversation they are in, a session.

    Bumps each `User.version` in the caller's transaction, so that an audit finds it where the telling is lost, and
    gives the new ones; what it was, each hub reads for itself. `contacts` says that it was what people are to each
    other, which `/sync` tells by its time; `settled`, that it was nothing but what is theirs of these conversations.
    """
    with connection.cursor() as cursor:
        cursor.execute(BUMP, {"people": list(people), "contacts": contacts})
        versions: dict[UUID, int] = dict(cursor.fetchall())
    ids = list(settled)
    posts = [post_settled(id, n, ids) if ids else post_changed(id, n) for id, n in versions.items()]
    transaction.on_commit(lambda: publish(posts))
    return versions


def post_changed(user_id: UUID, version: int) -> Post:
    """Address the news that something of a person's has changed to the servers they are connected to."""
    return user_group(user_id), {"user": user_id.bytes, "version": version}


def post_settled(user_id: UUID, version: int, conversations: Iterable[UUID]) -> Post:
    """The same, where it is nothing but what is their own of some conversations."""
    group, envelope = post_changed(user_id, version)
    envelope["settled"] = [id.bytes for id in conversations]
    return group, envelope
