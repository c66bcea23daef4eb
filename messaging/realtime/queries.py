"""What the hub loads of people and conversations, each from one snapshot of the database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from accounts.models import User
from accounts.people.read_receipt_privacy import SHOWS_READ
from chatproject.core.database import in_thread, snapshot
from conversations.events import PlaceJSON
from conversations.last_seen_privacy import VISIBLE_LAST_SEEN, Pair, parameters
from conversations.models import Conversation, Participant
from messaging.messages.json import ConversationJSON
from messaging.realtime.people import Membership
from messaging.realtime.snapshots import read_snapshot
from messaging.sync.inbox import show_conversation, show_memberships

PERSON = f"""
SELECT g.number AS generation, u.version, {SHOWS_READ} AS sees_receipts, u.suspended_at
FROM chatproject_generation g LEFT JOIN accounts_user u ON u.id = %s AND u.is_active
"""  # noqa: S608 (a piece of our own)
MEMBERSHIPS = """
SELECT p.conversation_id, p.visible_from, p.reads, p.joined_version, p.barred, c.epoch, p.me_version
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
WHERE p.user_id = %s AND p.left_at IS NULL
"""
SESSIONS = "SELECT id FROM accounts_session WHERE user_id = %s AND ended_at IS NULL"
DEPARTURES = """
SELECT conversation_id, reason FROM conversations_departure WHERE user_id = %s AND conversation_id = ANY(%s)
"""
NEWER = """
SELECT x.id, x.version FROM unnest(%s::uuid[], %s::bigint[]) AS known(id, version)
JOIN {} x ON x.id = known.id AND x.version > known.version
"""


@dataclass(frozen=True, slots=True)
class PersonState:
    generation: int
    """The generation of the database in which all of this is true."""
    version: int
    sees_receipts: bool
    """Whether they see what others have read."""
    memberships: dict[UUID, Membership]
    changed_settings: list[UUID]
    """The conversations whose personal settings they have changed since."""
    sessions: set[UUID]
    is_suspended: bool
    departures: dict[UUID, str]
    """Why they are no member any more of conversations that were asked about."""


class NewerVersions(NamedTuple):
    """The versions in the database that are ahead of those asked about."""

    conversations: dict[UUID, int]
    people: dict[UUID, int]


async def load_person(user_id: UUID, *, after: int, known: Collection[UUID]) -> PersonState:
    """Load a person's memberships and sessions, the settings they have changed after a version of theirs, and why they
    are no member any more of the known conversations.
    """
    async with read_snapshot() as run:
        (person,) = await run(PERSON, user_id)
        memberships = await run(MEMBERSHIPS, user_id)
        sessions = await run(SESSIONS, user_id)
        departures = await run(DEPARTURES, user_id, list(known))
    if person.version is None:
        return PersonState(person.generation, 0, False, {}, [], set(), False, {})
    return PersonState(
        person.generation,
        person.version,
        person.sees_receipts,
        {row.conversation_id: Membership.of(row, epoch=row.epoch) for row in memberships},
        [row.conversation_id for row in memberships if row.me_version > after],
        {row.id for row in sessions},
        person.suspended_at is not None,
        {row.conversation_id: row.reason for row in departures},
    )


async def load_versions(ids: Collection[UUID]) -> list[Any]:
    """Load id, version and epoch of some conversations."""
    async with read_snapshot() as run:
        return await run("SELECT id, version, epoch FROM conversations_conversation WHERE id = ANY(%s)", list(ids))


async def find_newer(conversations: Mapping[UUID, int], people: Mapping[UUID, int]) -> NewerVersions:
    """Find what has moved on past the versions given, by primary key."""
    async with read_snapshot() as run:
        found = [
            await run(NEWER.format(table), list(known), list(known.values())) if known else []
            for table, known in (("conversations_conversation", conversations), ("accounts_user", people))
        ]
    return NewerVersions(*({row.id: row.version for row in rows} for rows in found))


@in_thread
def load_conversation(user_id: UUID, id: UUID) -> ConversationJSON | None:
    """Load a conversation as one person sees it; None if they are no member."""
    try:
        return show_conversation(by=User.objects.get(pk=user_id), conversation_id=id)
    except Conversation.DoesNotExist:
        return None


@in_thread
def load_personal_settings(wanted: Mapping[UUID, Collection[UUID]]) -> list[tuple[UUID, UUID, int, PlaceJSON]]:
    """Load the personal settings of each person in some of their conversations.

    Returns the person, the conversation, the last position that is counted, and the settings.
    """
    conversations = {id for ids in wanted.values() for id in ids}
    with snapshot():
        found = Participant.objects.filter(user__in=wanted, conversation__in=conversations, left_at=None)
        mine = [each for each in found.select_related("conversation") if each.conversation_id in wanted[each.user_id]]
        shown = show_memberships(mine)
    return [
        (each.user_id, each.conversation_id, each.conversation.last_position, shown[each.pk])
        for each in mine
        if each.pk in shown
    ]


async def load_last_seen(pairs: Collection[Pair]) -> dict[Pair, datetime | None]:
    """Load when people were last here, for those pairs of a viewer and another person where the viewer may see it."""
    async with read_snapshot() as run:
        return {(row.viewer, row.other): row.last_seen for row in await run(VISIBLE_LAST_SEEN, parameters(pairs))}
