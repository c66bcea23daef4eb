"""Introducing a conversation to the sockets of someone who has become a member while they were connected."""

from uuid import UUID

from chatproject.core.realtime import encode
from conversations.models import Conversation
from messaging.messages.json import ConversationJSON
from messaging.realtime.missed_changes import load_changes, something_changed
from messaging.realtime.people import Person
from messaging.realtime.queries import load_conversation
from messaging.realtime.subscriptions import Subscriptions
from messaging.sync.replay import as_empty


async def introduce(person: Person, id: UUID, subscriptions: Subscriptions) -> int | None:
    """Deliver a conversation as it is now; a direct one as it began, with all that has happened since.

    Return its version, after which live events continue; None if the person is no member any more.
    """
    while True:
        shown = await load_conversation(person.id, id)
        introduction = await _introduction(person.id, shown) if shown else None
        if not introduction:
            return None
        version, frames = introduction
        subscription = subscriptions.by_id.get(id)
        if subscription is None or subscription.version <= version:
            break
    for frame in frames:
        person.deliver(frame)
    return version


async def _introduction(user_id: UUID, shown: ConversationJSON) -> tuple[int, list[bytes]] | None:
    """Write the events that introduce a conversation to a member, up to a version; None if they are none any more.

    No message is hidden in the introduction of a direct conversation: each has an event of its own.
    """
    if shown["kind"] != Conversation.Kind.DIRECT or not shown["version"]:
        return shown["version"], [_created(shown)]
    id = UUID(shown["id"])
    state = await load_changes(id, after=0, people=[user_id])
    membership = state.memberships.get(user_id) if state else None
    if state is None or membership is None:
        return None
    frames = [
        frame if membership.sees(user_id, since, readers) else something_changed(id, version, state.epoch)
        for version, since, frame, readers in state.changes
    ]
    return state.version, [_created(as_empty(shown)), *frames]


def _created(shown: ConversationJSON) -> bytes:
    return encode({"type": "conversation.created", "data": shown})
