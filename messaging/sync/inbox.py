"""The conversations of one person, as he sees them: latest first, with what is unread."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

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

UNREAD_MOST = 100
PARTICIPANTS_SHOWN = 100

# All look at the same few index entries, and only where there can be something.
LATEST_AND_UNREAD = """
SELECT p.id, latest.id, unread.n, mentions.n
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
LEFT JOIN LATERAL (
    SELECT m.id FROM messaging_message m
    WHERE m.conversation_id = p.conversation_id AND m.position > p.visible_from AND m.created_at > %(oldest)s
    ORDER BY m.position DESC LIMIT 1
) latest ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE c.last_position > p.read_through
            AND m.conversation_id = p.conversation_id AND m.position > GREATEST(p.read_through, p.visible_from)
            AND m.sender_id <> p.user_id AND m.kind <> 'notice' AND m.deleted_at IS NULL AND m.created_at > %(oldest)s
        LIMIT %(most)s
    ) AS some_unread
) unread
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE c.last_position > p.read_through
            AND m.conversation_id = p.conversation_id AND m.position > GREATEST(p.read_through, p.visible_from)
            AND m.mentions IS NOT NULL AND p.user_id = ANY(m.mentions) AND m.sender_id <> p.user_id
            AND m.deleted_at IS NULL AND m.created_at > %(oldest)s
        LIMIT %(most)s
    ) AS some_mentions
) mentions
WHERE p.id = ANY(%(places)s) AND p.left_at IS NULL
"""


class Unread(NamedTuple):
    """How much of others someone has not read in a conversation, and how much of that mentions them."""

    messages: int
    mentions: int


class Found(NamedTuple):
    """What there is for someone in a conversation."""

    latest_id: UUID | None
    unread: Unread


class Seat(NamedTuple):
    """What is shown of a member's place; whole models of thousands of them would take seconds."""

    user: User
    user_id: UUID
    joined_at: datetime
    role: str
    delivered_through: int
    read_through: int


def list_conversations(
    *, by: User, limit: int = 50, cursor: str | None = None, archived: bool = False
) -> Page[ConversationJSON]:
    """List someone's conversations, pinned first, then by latest activity; pages end before the place of a cursor."""
    places = memberships_of(by).filter(archived=archived).select_related("conversation")
    places = places.order_by("-pinned", "-conversation__active_at", "-conversation_id")
    if cursor:
        places = _after(places, read_cursor(cursor, salt="inbox"))
    some = list(places[: limit + 1])
    shown, more = some[:limit], len(some) > limit
    following = write_cursor(_place_in_list(shown[-1]), salt="inbox") if more else None
    return Page(show_places(shown, by=by), next=following, previous=None, has_more=more)


def show_conversation(*, by: User, conversation_id: UUID) -> ConversationJSON:
    """Show one conversation as a person sees it; Conversation.DoesNotExist for a stranger."""
    shown = show_places([participant_of(by, conversation_id)], by=by)
    if not shown:
        raise Conversation.DoesNotExist
    return shown[0]


def show_own(places: Sequence[Participant]) -> dict[int, PlaceJSON]:
    """Show what is people's own of some places, by place; those that they are in no more are left out."""
    counts = _latest_and_unread(places)
    return {place.pk: me_json(place, counts[place.pk].unread) for place in places if place.pk in counts}


def show_place(place: Participant) -> PlaceJSON:
    """Show what is a person's own of one place; Conversation.DoesNotExist if it is there no more."""
    shown = show_own([place]).get(place.pk)
    if shown is None:
        raise Conversation.DoesNotExist
    return shown


def show_places(places: Sequence[Participant], *, by: User) -> list[ConversationJSON]:
    """Show the conversations of some places of one person, in six queries at most however many there are."""
    counts = _latest_and_unread(places)
    latest_ids = [found.latest_id for found in counts.values() if found.latest_id]
    latest_ones = messages_json(list(Message.objects.filter(pk__in=latest_ids)))
    messages = {UUID(message["id"]): message for message in latest_ones}
    others = _members([place.conversation_id for place in places if place.pk in counts], by=by)
    sizes = _sizes([id for id, members in others.items() if len(members) > PARTICIPANTS_SHOWN])
    shown = []
    # Whatever they were put out of since the places were read, or was deleted, is not theirs any more.
    for place in (each for each in places if each.pk in counts):
        found = counts[place.pk]
        latest = messages.get(found.latest_id) if found.latest_id else None
        members = others.get(place.conversation_id, [])
        size = sizes.get(place.conversation_id, len(members))
        shown.append(_conversation_json(place, by, members, size, latest, found.unread))
    return shown


def _conversation_json(
    place: Participant, by: User, members: Sequence[Seat], size: int, latest: MessageJSON | None, unread: Unread
) -> ConversationJSON:
    it = place.conversation
    is_direct = it.kind == Conversation.Kind.DIRECT
    other = next((m.user for m in members if m.user_id != place.user_id), None) if is_direct else None
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
        "me": me_json(place, unread),
    }
    if size <= PARTICIPANTS_SHOWN:
        shown["participants"] = participants_json(members, it, sees_read=shows_read_receipts(by))
    return shown


def me_json(place: Participant, unread: Unread) -> PlaceJSON:
    """Show a person's own place."""
    return {
        "role": role_of(place, place.conversation),
        "unread_count": unread.messages,
        "mention_count": unread.mentions,
        "delivered_through": place.delivered_through,
        "read_through": place.read_through,
        "visible_from": place.visible_from,
        "notify": place.notify,
        "muted_until": timestamp(place.muted_until) if place.muted_until else None,
        "pinned": place.pinned,
        "archived": place.archived,
        "draft": draft_of(place),
    }


def _place_in_list(place: Participant) -> list[Any]:
    return [place.pinned, place.conversation.active_at.isoformat(), str(place.conversation_id)]


def _after(places: QuerySet[Participant], mark: list[Any]) -> QuerySet[Participant]:
    pinned, active_at, id = mark
    older = Q(conversation__active_at__lt=active_at) | Q(conversation__active_at=active_at, conversation_id__lt=id)
    return places.filter(Q(pinned=pinned) & older | Q(pinned__lt=pinned))


def _latest_and_unread(places: Sequence[Participant]) -> dict[int, Found]:
    values: dict[str, Any] = {
        "places": [place.pk for place in places],
        "oldest": timezone.now() - timedelta(days=settings.RETENTION_DAYS),
        "most": UNREAD_MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(LATEST_AND_UNREAD, values)
        return {id: Found(latest_id, Unread(*counts)) for id, latest_id, *counts in cursor.fetchall()}


# One more than is shown, so that a larger group is known to be one. Times come as milliseconds, read in no time at all.
FIRST_MEMBERS = """
SELECT c.id, p.user_id, floor(extract(epoch FROM p.joined_at) * 1000)::bigint, p.role, p.delivered_through,
    p.read_through
FROM unnest(%s::uuid[]) AS c(id) CROSS JOIN LATERAL (
    SELECT q.* FROM conversations_participant q WHERE q.conversation_id = c.id AND q.left_at IS NULL
    ORDER BY q.id LIMIT %s
) p
"""


def _members(conversations: Sequence[UUID], *, by: User) -> dict[UUID, list[Seat]]:
    with connection.cursor() as cursor:
        cursor.execute(FIRST_MEMBERS, [list(conversations), PARTICIPANTS_SHOWN + 1])
        rows = cursor.fetchall()
    stopped = watermarks_before_block(by=by, conversations=conversations)
    users = User.objects.in_bulk({row[1] for row in rows})
    found: dict[UUID, list[Seat]] = {}
    for id, user_id, joined_ms, role, *marks in rows:
        joined_at = datetime.fromtimestamp(joined_ms / 1000, UTC)
        shown = stopped.get((id, user_id), marks)
        found.setdefault(id, []).append(Seat(users[user_id], user_id, joined_at, role, *shown))
    return found


def _sizes(ids: Sequence[UUID]) -> dict[UUID, int]:
    if not ids:
        return {}
    members = Participant.objects.filter(conversation__in=ids, left_at=None)
    return dict(members.values_list("conversation").annotate(size=Count("pk")))
