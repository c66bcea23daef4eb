"""The conversations of one person, as they see them: latest first, with their unread counts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Greatest

from accounts.models import User
from accounts.people.profiles import avatar_path
from accounts.people.read_receipt_privacy import shows_read_receipts
from chatproject.core.pagination import Page, read_cursor, write_cursor
from chatproject.core.realtime import timestamp
from conversations.access import memberships_of, participant_of
from conversations.events import PlaceJSON, participants_json, role_of
from conversations.models import Conversation, Participant
from conversations.personal_settings import draft_of
from messaging.messages.json import ConversationJSON, MessageJSON, messages_json
from messaging.models import Message
from messaging.receipts.blocked import watermarks_before_block
from messaging.sync.unread_counts import UnreadCounts, latest_and_unread

PARTICIPANTS_SHOWN = 100


class ParticipantRow(NamedTuple):
    """The columns of a participant that are shown; loading thousands of whole models would take seconds."""

    user: User
    user_id: UUID
    joined_at: datetime
    role: str
    delivered_through: int
    read_through: int


def list_conversations(
    *, by: User, limit: int = 50, cursor: str | None = None, archived: bool = False
) -> Page[ConversationJSON]:
    """List a person's conversations, pinned ones first, then by latest activity; a page begins after its cursor.

    Joining counts as activity for the one who joins, so that a conversation that is new to them is not hidden below.
    """
    memberships = memberships_of(by).filter(archived=archived).select_related("conversation")
    memberships = memberships.annotate(active_at=Greatest("conversation__active_at", "joined_at"))
    memberships = memberships.order_by("-pinned", "-active_at", "-conversation_id")
    if cursor:
        memberships = _after(memberships, read_cursor(cursor, salt="inbox"))
    some = list(memberships[: limit + 1])
    shown, more = some[:limit], len(some) > limit
    following = write_cursor(_sort_key(shown[-1]), salt="inbox") if more else None
    return Page(show_conversations(shown, by=by), next=following, previous=None, has_more=more)


def show_conversation(*, by: User, conversation_id: UUID) -> ConversationJSON:
    """Return one conversation as a person sees it; Conversation.DoesNotExist for a stranger."""
    shown = show_conversations([participant_of(by, conversation_id)], by=by)
    if not shown:
        raise Conversation.DoesNotExist
    return shown[0]


def show_memberships(memberships: Sequence[Participant]) -> dict[int, PlaceJSON]:
    """Return the participants' own JSON by membership, without memberships that have ended."""
    counts = latest_and_unread(memberships)
    return {
        membership.pk: membership_json(membership, counts[membership.pk].unread)
        for membership in memberships
        if membership.pk in counts
    }


def show_membership(membership: Participant) -> PlaceJSON:
    """Return the participant's own JSON of one membership; Conversation.DoesNotExist if it has ended."""
    shown = show_memberships([membership]).get(membership.pk)
    if shown is None:
        raise Conversation.DoesNotExist
    return shown


def show_conversations(memberships: Sequence[Participant], *, by: User) -> list[ConversationJSON]:
    """Return the conversations of one person's memberships, in at most six queries however many there are."""
    counts = latest_and_unread(memberships)
    latest_ids = [found.latest_id for found in counts.values() if found.latest_id]
    latest_ones = messages_json(list(Message.objects.filter(pk__in=latest_ids)))
    messages = {UUID(message["id"]): message for message in latest_ones}
    others = _members([membership.conversation_id for membership in memberships if membership.pk in counts], by=by)
    sizes = _sizes([id for id, members in others.items() if len(members) > PARTICIPANTS_SHOWN])
    shown = []
    # Skip memberships that have ended since they were read.
    for membership in (each for each in memberships if each.pk in counts):
        found = counts[membership.pk]
        latest = messages.get(found.latest_id) if found.latest_id else None
        members = others.get(membership.conversation_id, [])
        size = sizes.get(membership.conversation_id, len(members))
        shown.append(_conversation_json(membership, by, members, size, latest, found.unread))
    return shown


def _conversation_json(
    membership: Participant,
    by: User,
    members: Sequence[ParticipantRow],
    size: int,
    latest: MessageJSON | None,
    unread: UnreadCounts,
) -> ConversationJSON:
    it = membership.conversation
    is_direct = it.kind == Conversation.Kind.DIRECT
    other = next((m.user for m in members if m.user_id != membership.user_id), None) if is_direct else None
    shown: ConversationJSON = {
        "id": str(it.pk),
        "kind": it.kind,
        "name": other.name if other else it.name,
        "description": it.description,
        "avatar_url": avatar_path(other.avatar_id if other else it.avatar_id),
        "owner_id": str(it.owner_id) if it.owner_id else None,
        "history": it.history,
        "participant_count": size,
        "last_message": latest,
        "version": it.version,
        "epoch": it.epoch,
        "last_position": it.last_position,
        "created_at": timestamp(it.created_at),
        "changed_at": timestamp(it.changed_at),
        "me": membership_json(membership, unread),
    }
    if size <= PARTICIPANTS_SHOWN:
        shown["participants"] = participants_json(members, it, sees_read=shows_read_receipts(by))
    return shown


def membership_json(membership: Participant, unread: UnreadCounts) -> PlaceJSON:
    """Return what a participant alone sees of their membership."""
    return {
        "role": role_of(membership, membership.conversation),
        "joined_at": timestamp(membership.joined_at),
        "unread_count": unread.messages,
        "mention_count": unread.mentions,
        "delivered_through": membership.delivered_through,
        "read_through": membership.read_through,
        "visible_from": membership.visible_from,
        "notify": membership.notify,
        "muted_until": timestamp(membership.muted_until) if membership.muted_until else None,
        "pinned": membership.pinned,
        "archived": membership.archived,
        "draft": draft_of(membership),
    }


def _sort_key(membership: Any) -> list[Any]:
    return [membership.pinned, membership.active_at.isoformat(), str(membership.conversation_id)]


def _after(memberships: QuerySet[Participant], mark: list[Any]) -> QuerySet[Participant]:
    pinned, active_at, id = mark
    older = Q(active_at__lt=active_at) | Q(active_at=active_at, conversation_id__lt=id)
    return memberships.filter(Q(pinned=pinned) & older | Q(pinned__lt=pinned))


# One more than is shown, to recognise a larger group. Times are milliseconds, which are faster to read.
FIRST_MEMBERS = """
SELECT c.id, p.user_id, floor(extract(epoch FROM p.joined_at) * 1000)::bigint, p.role, p.delivered_through,
    p.read_through
FROM unnest(%s::uuid[]) AS c(id) CROSS JOIN LATERAL (
    SELECT q.* FROM conversations_participant q WHERE q.conversation_id = c.id AND q.left_at IS NULL
    ORDER BY q.id LIMIT %s
) p
"""


def _members(conversations: Sequence[UUID], *, by: User) -> dict[UUID, list[ParticipantRow]]:
    with connection.cursor() as cursor:
        cursor.execute(FIRST_MEMBERS, [list(conversations), PARTICIPANTS_SHOWN + 1])
        rows = cursor.fetchall()
    stopped = watermarks_before_block(by=by, conversations=conversations)
    users = User.objects.in_bulk({row[1] for row in rows})
    found: dict[UUID, list[ParticipantRow]] = {}
    for id, user_id, joined_ms, role, *marks in rows:
        joined_at = datetime.fromtimestamp(joined_ms / 1000, UTC)
        shown = stopped.get((id, user_id), marks)
        found.setdefault(id, []).append(ParticipantRow(users[user_id], user_id, joined_at, role, *shown))
    return found


def _sizes(ids: Sequence[UUID]) -> dict[UUID, int]:
    if not ids:
        return {}
    members = Participant.objects.filter(conversation__in=ids, left_at=None)
    return dict(members.values_list("conversation").annotate(size=Count("pk")))
