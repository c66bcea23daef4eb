"""Introducing a conversation to the sockets of someone who has become a member while they were connected."""

from uuid import UUID

from chatproject.core.realtime import encode
from conversations.models import Conversation
from messaging.messages.json import ConversationJSON
from messaging.realtime.missed_changes import load_changes
from messaging.realtime.people import Person
from messaging.realtime.queries import load_conversation
from messaging.realtime.subscriptions import Subscriptions
from messaging.sync.replay import as_empty


async def introduce(person: Person, id: UUID, subscriptions: Subscriptions) -> int:
    """Deliver a conversation as it is now; a direct one as it began, with all that has happened since.

    Return its version, after which live events continue.
    """
    while True:
        shown = await load_conversation(person.id, id)
        introduction = await _introduction(shown) if shown else None
        if not introduction:
            person.is_stale = True
            return 0
        version, frames = introduction
        subscription = subscriptions.by_id.get(id)
        if subscription is None or subscription.version <= version:
            break
    for frame in frames:
        person.deliver(frame)
    return version


async def _introduction(shown: ConversationJSON) -> tuple[int, list[bytes]] | None:
    """Write the events that introduce a conversation, up to a version; None if it does not exist any more.

    No message is hidden in the introduction of a direct conversation: each has an event of its own.
    """
    if shown["kind"] != Conversation.Kind.DIRECT or not shown["version"]:
        return shown["version"], [_created(shown)]
    state = await load_changes(UUID(shown["id"]), after=0, people=())
    if state is None:
        return None
    return state.version, [_created(as_empty(shown)), *(each.frame for each in state.changes)]


def _created(shown: ConversationJSON) -> bytes:
    return encode({"type": "conversation.created", "data": shown})
