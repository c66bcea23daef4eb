"""What was said, and what has changed: history in pages of positions, single messages, and catching up, as their reader
may see them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Generic, Self, TypedDict, TypeVar
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import User
from accounts.people.profiles import OwnJSON, own_json
from chatproject.core.database import snapshot
from chatproject.core.errors import Gone
from chatproject.core.json_types import IdText
from chatproject.core.pagination import PAGE_SIZE, Page, read_cursor, write_cursor
from conversations.access import memberships_of, participant_of
from conversations.models import Conversation, Departure, Participant, direct_key
from messaging.access import readable
from messaging.messages.json import ConversationJSON, MessageJSON, messages_json
from messaging.models import Message
from messaging.retention.purge import DEPARTURES_KEPT
from messaging.sync.inbox import show_conversation, show_places

LOOK_BACK = timedelta(seconds=60)
"""How far a round reaches back behind its own time: over transactions that were still under way."""


T = TypeVar("T")


class ChangesJSON(TypedDict):
    """What changed in a conversation after a version, and how it is now."""

    messages: list[MessageJSON]
    conversation: ConversationJSON


class SyncJSON(TypedDict):
    """What changed for oneself since a cursor was given."""

    conversations: list[ConversationJSON]
    removed: list[IdText]
    contacts_changed: bool
    me: OwnJSON


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some of what has changed, and where to go on: a version or a cursor."""

    items: T
    next: str | int | None
    has_more: bool


def history(
    *,
    by: User,
    conversation_id: UUID,
    limit: int = PAGE_SIZE,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page[MessageJSON]:
    """Read one page of a conversation, oldest first: the latest, or next to a position.

    `before` and `after` leave their position out, `around` has it in the middle. `next` is the number to give for the
    same parameter to go on (for `before` if none was given); `has_more` looks the same way.
    """
    messages = readable(participant_of(by, conversation_id))
    if after is not None:
        return _forward(messages.filter(position__gt=after), limit)
    if around is not None:
        return _around(messages, around, limit)
    return _backward(messages if before is None else messages.filter(position__lt=before), limit)


def direct_history(
    *, by: User, friend_id: UUID, limit: int = PAGE_SIZE, before: int | None = None
) -> Page[MessageJSON]:
    """Read a page of the direct conversation with someone; Conversation.DoesNotExist if there is none."""
    conversation = Conversation.objects.only("pk").get(direct_key=direct_key(by.pk, friend_id))
    return history(by=by, conversation_id=conversation.pk, limit=limit, before=before)


def get_message(*, by: User, message_id: UUID) -> MessageJSON:
    """Read one message; Message.DoesNotExist if it is not there for this person."""
    message = Message.objects.get(pk=message_id)
    place = memberships_of(by).filter(conversation_id=message.conversation_id).first()
    if place is None:
        raise Message.DoesNotExist
    return messages_json([readable(place).get(pk=message_id)])[0]


def changes(*, by: User, conversation_id: UUID, after: int, limit: int = PAGE_SIZE) -> Part[ChangesJSON]:
    """Read what changed in a conversation after a version, in its present state: messages in the order of versions.

    Messages and conversation are of one moment. What is deleted is a tombstone; while there is more, `next` is the
    version to go on from.
    """
    with snapshot():
        changed = _changed(readable(participant_of(by, conversation_id)), after, limit + 1)
        shown, more = changed[:limit], len(changed) > limit
        items: ChangesJSON = {
            "messages": messages_json(shown),
            "conversation": show_conversation(by=by, conversation_id=conversation_id),
        }
    return Part(items, shown[-1].version if more else None, more)


def _changed(messages: QuerySet[Message], after: int, most: int) -> list[Message]:
    """Take the messages that changed first after a version; each half is read along an index of its own."""
    new = messages.filter(position__gt=after, version=F("position")).order_by("position")[:most]
    altered = messages.filter(version__gt=after).filter(version__gt=F("position")).order_by("version")[:most]
    return list(islice(merge(new, altered, key=lambda message: message.version), most))


@dataclass(frozen=True, slots=True)
class Round:
    """A walk through what has changed for someone: after `since` (None: ever), in the order of conversation ids.

    The next round asks for what happened after `until`.
    """

    since: datetime | None
    until: datetime
    after: UUID | None = None

    @classmethod
    def read(cls, cursor: str | None, *, by: User, now: datetime) -> Self:
        """Begin a round, or go on with one; BadCursor for a cursor that is not this person's, Gone for an old one."""
        if not cursor:
            return cls(since=None, until=now - LOOK_BACK)
        since, until, after = read_cursor(cursor, salt=f"sync {by.pk}")
        known = [datetime.fromisoformat(moment) for moment in (since, until) if moment]
        if min(known) < now - DEPARTURES_KEPT:
            raise Gone("This was too long ago. Begin anew without a cursor.", pointer="/cursor")
        if after is None:
            return cls(since=known[0], until=now - LOOK_BACK)
        return cls(since=known[0] if since else None, until=known[-1], after=UUID(after))

    def write(self, *, by: User) -> str:
        """Write down where this round stands, or, where nothing has been read of it yet, where it begins."""
        since, until, after = (each and str(each) for each in (self.since, self.until, self.after))
        return write_cursor([since, until, after], salt=f"sync {by.pk}")

    @property
    def following(self) -> "Round":
        return Round(since=self.until, until=self.until)


def sync(*, by: User, cursor: str | None = None, limit: int = PAGE_SIZE) -> Part[SyncJSON]:
    """Read what has changed for someone since a cursor was given, in pages; without one, everything they are in.

    Every conversation comes as it is now, and may come again although nothing happened to it. Raises Gone for a cursor
    older than 30 days.
    """
    with snapshot() as now:
        this = Round.read(cursor, by=by, now=now)
        found = list(_changed_places(by, this)[: limit + 1])
        shown, more = found[:limit], len(found) > limit
        me = User.objects.get(pk=by.pk)
        items: SyncJSON = {
            "conversations": show_places(shown, by=me),
            "removed": [] if more else _departures(by, this),
            "contacts_changed": this.since is None or me.contacts_changed_at > this.since,
            "me": own_json(me),
        }
    following = replace(this, after=shown[-1].conversation_id) if more else this.following
    return Part(items, following.write(by=by), more)


def _changed_places(by: User, this: Round) -> QuerySet[Participant]:
    places = memberships_of(by).select_related("conversation").order_by("conversation_id")
    if this.since:
        places = places.filter(Q(conversation__changed_at__gt=this.since) | Q(changed_at__gt=this.since))
    return places.filter(conversation_id__gt=this.after) if this.after else places


def _departures(by: User, this: Round) -> list[str]:
    """What someone has gone out of, or been put out of."""
    if this.since is None:
        return []
    gone = Departure.objects.filter(user=by, at__gt=this.since).order_by("conversation_id")
    return [str(id) for id in gone.values_list("conversation_id", flat=True)]


def _forward(messages: QuerySet[Message], limit: int) -> Page[MessageJSON]:
    found = list(messages.order_by("position")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    return _page(shown, shown[-1].position if more else None, more)


def _backward(messages: QuerySet[Message], limit: int) -> Page[MessageJSON]:
    found = list(messages.order_by("-position")[: limit + 1])
    shown, more = found[:limit], len(found) > limit
    return _page(shown[::-1], shown[-1].position if more else None, more)


def _around(messages: QuerySet[Message], position: int, limit: int) -> Page[MessageJSON]:
    """Half of the page before a position, the rest from it on; `next` goes on towards the newest.

    It is so far ahead that the half before it begins no later than right behind what is shown.
    """
    older = list(messages.filter(position__lt=position).order_by("-position")[: limit // 2])
    newer = list(messages.filter(position__gte=position).order_by("position")[: limit - len(older) + 1])
    more = len(older) + len(newer) > limit
    shown = older[::-1] + newer[: limit - len(older)]
    return _page(shown, shown[-1].position + limit // 2 + 1 if more else None, more)


def _page(messages: list[Message], following: int | None, more: bool) -> Page[MessageJSON]:
    return Page(messages_json(messages), next=following, previous=None, has_more=more)
