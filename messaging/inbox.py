"""The conversations of one person, as he sees them: latest first, with what is unread."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.realtime import timestamp
from chatproject.pages import Page, read_cursor, write_cursor
from conversations.access import place_of, present
from conversations.events import participants_json, role_of
from conversations.models import Conversation, Participant
from messaging.events import MessageJSON, messages_json
from messaging.fields import unseal
from messaging.models import Message

UNREAD_MOST = 100
PARTICIPANTS_SHOWN = 100

# Both look at the same few index entries, and only where there can be something.
LATEST_AND_UNREAD = """
SELECT p.conversation_id, latest.id, COALESCE(unread.n, 0)
FROM conversations_participant p JOIN conversations_conversation c ON c.id = p.conversation_id
LEFT JOIN LATERAL (
    SELECT m.id FROM messaging_message m
    WHERE m.conversation_id = p.conversation_id AND m.position > p.visible_from AND m.created_at > %(oldest)s
    ORDER BY m.position DESC LIMIT 1
) latest ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM messaging_message m
        WHERE m.conversation_id = p.conversation_id AND m.position > GREATEST(p.read_through, p.visible_from)
            AND m.sender_id <> p.user_id AND m.kind <> 'notice' AND m.deleted_at IS NULL AND m.created_at > %(oldest)s
        LIMIT %(most)s
    ) AS some_unread
) unread ON c.last_position > p.read_through
WHERE p.id = ANY(%(places)s)
"""


def list_conversations(
    *, by: User, limit: int = 50, cursor: str | None = None, archived: bool = False
) -> Page[dict[str, Any]]:
    """List someone's conversations, pinned first, then by latest activity; pages end before the place of a cursor."""
    places = present(by).filter(archived=archived).select_related("conversation")
    places = places.order_by("-pinned", "-conversation__changed_at", "-conversation_id")
    if cursor:
        places = _after(places, read_cursor(cursor, salt="inbox"))
    some = list(places[: limit + 1])
    shown, more = some[:limit], len(some) > limit
    following = write_cursor(_place_in_list(shown[-1]), salt="inbox") if more else None
    return Page(show_places(shown), next=following, previous=None, has_more=more)


def show_conversation(*, by: User, conversation_id: UUID) -> dict[str, Any]:
    """Show one conversation as a person sees it; Conversation.DoesNotExist for a stranger."""
    shown = show_places([place_of(by, conversation_id)])
    if not shown:
        raise Conversation.DoesNotExist
    return shown[0]


def show_places(places: Sequence[Participant]) -> list[dict[str, Any]]:
    """Show the conversations of some places of one person, in five queries at most however many there are."""
    counts = _latest_and_unread(places)
    latest_ids = [id for id, _ in counts.values() if id]
    latest_ones = messages_json(list(Message.objects.filter(pk__in=latest_ids)))
    messages = {UUID(message["id"]): message for message in latest_ones}
    others = _participants([place.conversation for place in places])
    sizes = _sizes([id for id, members in others.items() if len(members) > PARTICIPANTS_SHOWN])
    shown = []
    # Whatever was deleted since the places were read is not there any more.
    for place in (each for each in places if each.conversation_id in counts):
        latest, unread = counts[place.conversation_id]
        members = others.get(place.conversation_id, [])
        size = sizes.get(place.conversation_id, len(members))
        shown.append(_conversation_json(place, members, size, messages.get(latest) if latest else None, unread))
    return shown


def _conversation_json(
    place: Participant, members: Sequence[Participant], size: int, latest: MessageJSON | None, unread: int
) -> dict[str, Any]:
    it = place.conversation
    is_direct = it.kind == Conversation.Kind.DIRECT
    other = next((m.user for m in members if m.user_id != place.user_id), None) if is_direct else None
    shown: dict[str, Any] = {
        "id": str(it.pk),
        "kind": it.kind,
        "name": other.name if other else it.name,
        "description": it.description,
        "avatar_url": None,
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
        shown["participants"] = participants_json(members, it)
    return shown


def me_json(place: Participant, unread: int) -> dict[str, Any]:
    """Show a person's own place."""
    return {
        "role": role_of(place, place.conversation),
        "unread_count": unread,
        "delivered_through": place.delivered_through,
        "read_through": place.read_through,
        "visible_from": place.visible_from,
        "notify": place.notify,
        "muted_until": timestamp(place.muted_until) if place.muted_until else None,
        "pinned": place.pinned,
        "archived": place.archived,
        "draft": draft_of(place),
    }


def draft_of(place: Participant) -> str:
    """What a person has begun to write."""
    if place.draft is None:
        return ""
    return unseal(bytes(place.draft), field="draft", row=place.user_id, conversation=place.conversation_id)


def _place_in_list(place: Participant) -> list[Any]:
    return [place.pinned, place.conversation.changed_at.isoformat(), str(place.conversation_id)]


def _after(places: QuerySet[Participant], mark: list[Any]) -> QuerySet[Participant]:
    pinned, changed_at, id = mark
    older = Q(conversation__changed_at__lt=changed_at) | Q(conversation__changed_at=changed_at, conversation_id__lt=id)
    return places.filter(Q(pinned=pinned) & older | Q(pinned__lt=pinned))


def _latest_and_unread(places: Sequence[Participant]) -> dict[UUID, tuple[UUID | None, int]]:
    values: dict[str, Any] = {
        "places": [place.pk for place in places],
        "oldest": timezone.now() - timedelta(days=settings.RETENTION_DAYS),
        "most": UNREAD_MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(LATEST_AND_UNREAD, values)
        return {id: (latest, unread) for id, latest, unread in cursor.fetchall()}


# One more than is shown, so that a larger group is known to be one.
FIRST_PARTICIPANTS = """
SELECT p.* FROM unnest(%s::uuid[]) AS c(id) CROSS JOIN LATERAL (
    SELECT q.* FROM conversations_participant q WHERE q.conversation_id = c.id AND q.left_at IS NULL
    ORDER BY q.id LIMIT %s
) p
"""


def _participants(conversations: Iterable[Conversation]) -> dict[UUID, list[Participant]]:
    found: dict[UUID, list[Participant]] = {}
    rows = Participant.objects.raw(FIRST_PARTICIPANTS, [[c.pk for c in conversations], PARTICIPANTS_SHOWN + 1])
    for participant in rows.prefetch_related("user"):
        found.setdefault(participant.conversation_id, []).append(participant)
    return found


def _sizes(ids: Sequence[UUID]) -> dict[UUID, int]:
    if not ids:
        return {}
    members = Participant.objects.filter(conversation__in=ids, left_at=None)
    return dict(members.values_list("conversation").annotate(size=Count("pk")))
