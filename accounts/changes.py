"""Telling the servers of some people that something of theirs has changed."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from chatproject.core.realtime import HubEvent, publish, user_group


class UserChanged(HubEvent, frozen=True, tag="user"):
    """Something of a person has changed, as of this `User.version`: their hubs read what it was."""

    user_id: UUID
    version: int

    @property
    def group(self) -> str:
        return user_group(self.user_id)


class PersonalSettingsChanged(HubEvent, frozen=True, tag="settings"):
    """Nothing of a person has changed but their personal settings of these conversations."""

    user_id: UUID
    version: int
    conversation_ids: list[UUID]

    @property
    def group(self) -> str:
        return user_group(self.user_id)


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
    events: list[HubEvent] = [
        PersonalSettingsChanged(id, version, ids) if ids else UserChanged(id, version)
        for id, version in versions.items()
    ]
    transaction.on_commit(lambda: publish(events))
    return versions
