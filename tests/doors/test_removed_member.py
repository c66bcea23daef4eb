"""A member whose removal is not committed yet, and whose message waits behind it: the removal comes first."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db.models import QuerySet

from accounts.models import User
from conversations.models import Conversation
from messaging.models import Message
from tests.support.client import Client
from tests.support.together import another_connection, until_blocked

App = Callable[[User], Awaitable[Client]]
Send = Callable[[Client, Conversation], Awaitable[str]]

REMOVE = """
WITH locked AS (
    UPDATE conversations_conversation SET version = version + 1, epoch = epoch + 1 WHERE id = %(conversation)s
    RETURNING id, version
)
UPDATE conversations_participant p SET left_at = now(), left_version = locked.version
FROM locked WHERE p.conversation_id = locked.id AND p.user_id = %(user)s
"""


def spoken() -> QuerySet[Message]:
    """What people have said themselves."""
    return Message.objects.exclude(kind=Message.Kind.NOTICE)


async def by_socket(client: Client, conversation: Conversation) -> str:
    async with client.socket() as socket:
        answer = await socket.ask("message.send", conversation_id=str(conversation.pk), text="One last word")
    return str(answer["data"].get("code"))


async def by_rest(client: Client, conversation: Conversation) -> str:
    async with client:
        answer = await client.post("/messages", conversation_id=str(conversation.pk), text="One last word")
    return str(answer.json().get("code"))


@pytest.fixture
def held_removal(group: Conversation, bob: User) -> "Iterator[psycopg.Connection[Any]]":
    """Bob is put out of the group in a transaction that is still open."""
    with another_connection() as other:
        other.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [group.pk])
        other.execute(REMOVE, {"conversation": group.pk, "user": bob.pk})
        yield other


# The lane lets a conversation that someone holds step aside after 250 ms, and it is tried beside it from then on.
@pytest.mark.parametrize("held_for", [0, 0.4])
@pytest.mark.parametrize("send", [by_socket, by_rest])
async def test_a_member_removed_in_an_open_transaction_gets_nothing_in_after_it(
    committed: None, app: App, bob: User, group: Conversation, held_removal: Any, send: Send, held_for: float
) -> None:
    waiting = asyncio.ensure_future(send(await app(bob), group))
    await sync_to_async(until_blocked)()
    await asyncio.sleep(held_for)
    assert not waiting.done()
    held_removal.commit()
    assert await waiting == "not_found"
    assert not await spoken().aexists()
    assert (await Conversation.objects.aget()).last_position == group.last_position


@pytest.mark.parametrize("send", [by_socket, by_rest])
async def test_a_removal_that_is_taken_back_keeps_nobody_out(
    committed: None, app: App, bob: User, group: Conversation, held_removal: Any, send: Send
) -> None:
    waiting = asyncio.ensure_future(send(await app(bob), group))
    await sync_to_async(until_blocked)()
    held_removal.rollback()
    assert await waiting == "None"
    assert await spoken().acount() == 1


async def test_a_held_conversation_holds_up_no_other(
    committed: None,
    app: App,
    alice: User,
    bob: User,
    group: Conversation,
    conversation: Conversation,
    held_removal: Any,
) -> None:
    async with (await app(alice)).socket() as speaker:
        await speaker.send({"type": "message.send", "ref": "held", "conversation_id": str(group.pk), "text": "Hi all"})
        await sync_to_async(until_blocked)()
        for n in range(5):
            await speaker.say(str(conversation.pk), f"line {n}")
        held_removal.rollback()
        assert (await speaker.next_frame("ack", ref="held"))["data"]["text"] == "Hi all"
