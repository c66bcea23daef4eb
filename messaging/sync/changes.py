"""What has changed for a person: in one conversation since a version, or in all of them since a cursor."""

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
from chatproject.core.generation import known_generation
from chatproject.core.json_types import IdText
from chatproject.core.pagination import PAGE_SIZE, read_cursor, write_cursor
from conversations.access import memberships_of, participant_of
from conversations.models import Departure, Participant
from messaging.access import readable
from messaging.messages.json import ConversationJSON, MessageJSON, messages_json
from messaging.models import Message
from messaging.retention.purge import DEPARTURES_KEPT
from messaging.sync.inbox import show_conversation, show_conversations

SYNC_OVERLAP = timedelta(seconds=60)
"""How far a round reaches back before its start, to include transactions that were not committed yet."""

T = TypeVar("T")


class ChangesJSON(TypedDict):
    """The messages that changed after a version, and the conversation in its present state."""

    messages: list[MessageJSON]
    conversation: ConversationJSON


class SyncJSON(TypedDict):
    """What changed for a person since a cursor was issued."""

    conversations: list[ConversationJSON]
    removed: list[IdText]
    contacts_changed: bool
    me: OwnJSON


@dataclass(frozen=True, slots=True)
class ChangesPage(Generic[T]):
    """A page of changes; `next` is the version or the cursor of the following page."""

    items: T
    next: str | int | None
    has_more: bool


def changes(*, by: User, conversation_id: UUID, after: int, limit: int = PAGE_SIZE) -> ChangesPage[ChangesJSON]:
    """Read what changed in a conversation after a version, in its present state: messages in the order of versions.

    Messages and conversation come from one snapshot. A deleted message is a tombstone. While there is more, `next` is
    the version to continue from.
    """
    with snapshot():
        changed = _changed(readable(participant_of(by, conversation_id)), after, limit + 1)
        shown, more = changed[:limit], len(changed) > limit
        items: ChangesJSON = {
            "messages": messages_json(shown),
            "conversation": show_conversation(by=by, conversation_id=conversation_id),
        }
    return ChangesPage(items, shown[-1].version if more else None, more)


def _changed(messages: QuerySet[Message], after: int, count: int) -> list[Message]:
    """Read the first messages that changed after a version; new and altered ones have an index each."""
    new = messages.filter(position__gt=after, version=F("position")).order_by("position")[:count]
    altered = messages.filter(version__gt=after).filter(version__gt=F("position")).order_by("version")[:count]
    return list(islice(merge(new, altered, key=lambda message: message.version), count))


@dataclass(frozen=True, slots=True)
class SyncRound:
    """One pass through what has changed for a person since `since` (None: ever), in the order of conversation ids.

    The next round reads what changes after `until`.
    """

    since: datetime | None
    until: datetime
    generation: int
    after: UUID | None = None

    @classmethod
    def read(cls, cursor: str | None, *, by: User, now: datetime, generation: int) -> Self:
        """Begin or continue a round; BadCursor for a cursor of someone else, Gone for one that is too old."""
        if not cursor:
            return cls(since=None, until=now - SYNC_OVERLAP, generation=generation)
        since, until, after = read_cursor(cursor, salt=f"sync {by.pk}")
        known = [datetime.fromisoformat(moment) for moment in (since, until) if moment]
        if min(known) < now - DEPARTURES_KEPT:
            raise Gone("This was too long ago. Begin anew without a cursor.", pointer="/cursor")
        if after is None:
            return cls(since=known[0], until=now - SYNC_OVERLAP, generation=generation)
        return cls(since=known[0] if since else None, until=known[-1], generation=generation, after=UUID(after))

    def write(self, *, by: User) -> str:
        """Return the cursor that continues this round, or begins it if nothing has been read of it yet."""
        since, until, after = (each and str(each) for each in (self.since, self.until, self.after))
        return write_cursor([since, until, after], salt=f"sync {by.pk}", generation=self.generation)

    @property
    def following(self) -> "SyncRound":
        return replace(self, since=self.until, after=None)


def sync(*, by: User, cursor: str | None = None, limit: int = PAGE_SIZE) -> ChangesPage[SyncJSON]:
    """Read what has changed for a person since a cursor was issued, in pages; without a cursor, all conversations.

    Every conversation is in its present state, and may be repeated although it has not changed. Gone for a cursor older
    than 30 days, or from before a restore.
    """
    # Before the snapshot: a device that was shown what was true before a restore must not get a cursor from after it.
    generation = known_generation()
    with snapshot() as now:
        this = SyncRound.read(cursor, by=by, now=now, generation=generation)
        found = list(_changed_memberships(by, this)[: limit + 1])
        shown, more = found[:limit], len(found) > limit
        me = User.objects.get(pk=by.pk)
        items: SyncJSON = {
            "conversations": show_conversations(shown, by=me),
            "removed": [] if more else _departures(by, this),
            "contacts_changed": this.since is None or me.contacts_changed_at > this.since,
            "me": own_json(me),
        }
    following = replace(this, after=shown[-1].conversation_id) if more else this.following
    return ChangesPage(items, following.write(by=by), more)


def _changed_memberships(by: User, this: SyncRound) -> QuerySet[Participant]:
    memberships = memberships_of(by).select_related("conversation").order_by("conversation_id")
    if this.since:
        memberships = memberships.filter(Q(conversation__changed_at__gt=this.since) | Q(changed_at__gt=this.since))
    return memberships.filter(conversation_id__gt=this.after) if this.after else memberships


def _departures(by: User, this: SyncRound) -> list[str]:
    """Return the conversations that a person has left or was removed from."""
    if this.since is None:
        return []
    gone = Departure.objects.filter(user=by, at__gt=this.since).order_by("conversation_id")
    return [str(id) for id in gone.values_list("conversation_id", flat=True)]
