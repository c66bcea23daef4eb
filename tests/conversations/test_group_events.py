"""Every change of a group is published once, with its own version."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import orjson
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from accounts.models import User
from chatproject.core.realtime import ConversationEvent, conversation_group
from conversations import groups
from conversations.contacts.account_closure import close_account
from conversations.models import Conversation


def live_through(group: Conversation, alice: User, bob: User, carol: User, mallory: User) -> None:
    id = group.pk
    groups.update_group(by=alice, conversation_id=id, name="Orchard", history="shared")
    groups.update_group(by=alice, conversation_id=id, description="Apples")
    groups.add_members(by=alice, conversation_id=id, users=[mallory])
    groups.set_role(by=alice, conversation_id=id, user_id=mallory.pk, role="admin")
    groups.transfer(by=alice, conversation_id=id, to=bob)
    groups.remove_member(by=bob, conversation_id=id, user_id=mallory.pk)
    groups.leave(by=carol, conversation_id=id)
    close_account(by=bob)


async def published(id: Any, live: Callable[[], object]) -> list[ConversationEvent]:
    """Return the 16 events that are published to a conversation while `live` runs."""
    layer = get_channel_layer()
    inbox = await layer.new_channel()
    await layer.group_add(conversation_group(id), inbox)
    await sync_to_async(live)()
    events = []
    while len(events) < 16:
        async with asyncio.timeout(5):
            events.append(msgspec.convert(await layer.receive(inbox), ConversationEvent))
    return events


async def test_every_version_is_published_by_exactly_one_event_in_order(
    committed: None, group: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    events = await published(group.pk, lambda: live_through(group, alice, bob, carol, mallory))
    assert [event.version for event in events] == list(range(2, 18))
    assert (await Conversation.objects.aget()).version == 17
    frames = [orjson.loads(event.frame) for event in events]
    assert [frame["data"]["version"] for frame in frames] == list(range(2, 18))
    assert [summary(frame) for frame in frames] == [
        {"name": "Orchard", "history": "shared"}, "renamed", {"description": "Apples"},
        {"added": ["mallory: member"], "size": 4}, "joined", {"updated": ["mallory: admin"]},
        {"owner_id": str(bob.pk), "updated": ["alice: admin", "bob: owner"]}, "transferred",
        {"removed": [str(mallory.pk)], "size": 3}, "removed", {"removed": [str(carol.pk)], "size": 2}, "left",
        {"owner_id": str(alice.pk), "updated": [": admin", "alice: owner"]}, "transferred",
        {"removed": [str(bob.pk)], "size": 1}, "left",
    ]  # fmt: skip


def summary(frame: dict[str, Any]) -> Any:
    """Summarize an event: the kind of a notice, or the changes with people by name and role."""
    if frame["type"] == "message.created":
        return frame["data"]["message"]["notice"]["event"]
    assert frame["type"] == "conversation.updated"
    changes = frame["data"]["changes"]
    people, size = changes.pop("participants", {}), changes.pop("participant_count", None)
    if people.keys() & {"added", "removed"}:
        changes["size"] = size
    return changes | {
        what: [each if what == "removed" else f"{each['user']['username']}: {each['role']}" for each in some]
        for what, some in people.items()
    }
