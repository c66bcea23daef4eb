"""Publishing that a person's data, for example a conversation or a session, has changed."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction

from chatproject.core.realtime import HubEvent, publish, user_group


class UserChanged(HubEvent, frozen=True, tag="user"):
    """Data of a person has changed, as of this `User.version`. The hubs that serve the person read what has changed."""

    user_id: UUID
    version: int

    @property
    def group(self) -> str:
        return user_group(self.user_id)


class PersonalSettingsChanged(HubEvent, frozen=True, tag="settings"):
    """Only the personal settings of a person for these conversations have changed."""

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


def publish_user_change(
    *, people: Iterable[UUID], contacts: bool = False, personal_settings_of: Iterable[UUID] = ()
) -> dict[UUID, int]:
    """Publish to the servers of some people that something of theirs has changed, say a conversation or a session.

    Bumps each `User.version` in the caller's transaction, so that reconciliation finds the change where the event is
    lost, and returns the new versions; each hub reads for itself what has changed. `contacts` means that a relation
    between people has changed, which `/sync` finds by its time; `personal_settings_of`, that nothing has changed but
    the personal settings of these conversations.
    """
    with connection.cursor() as cursor:
        cursor.execute(BUMP, {"people": list(people), "contacts": contacts})
        versions: dict[UUID, int] = dict(cursor.fetchall())
    ids = list(personal_settings_of)
    events: list[HubEvent] = [
        PersonalSettingsChanged(id, version, ids) if ids else UserChanged(id, version)
        for id, version in versions.items()
    ]
    transaction.on_commit(lambda: publish(events))
    return versions
