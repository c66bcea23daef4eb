"""A repeat is recognised whoever sends it; but whoever is out learns nothing from it that others have done since."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.groups import add_members, remove_member
from conversations.models import Conversation
from messaging.commands import send_message
from messaging.events import MessageJSON
from messaging.reactions import add_reaction
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]
Repeat = Callable[[Client, MessageJSON], Awaitable[MessageJSON]]


async def by_socket(client: Client, said: MessageJSON) -> MessageJSON:
    async with client.socket() as socket:
        answer = await socket.ask("message.send", **{name: said[name] for name in ("id", "conversation_id", "text")})
    return answer["data"]


async def by_rest(client: Client, said: MessageJSON) -> MessageJSON:
    answer = await client.post("/messages", **{name: said[name] for name in ("id", "conversation_id", "text")})
    assert answer.status_code == 200
    return answer.json()["data"]


def said_and_liked(by: User, group: Conversation, owner: User) -> MessageJSON:
    """Something that someone said and, after they were put out, the owner liked."""
    said = send_message(by=by, conversation_id=group.pk, text="Hi").message
    remove_member(by=owner, conversation_id=group.pk, user_id=by.pk)
    add_reaction(by=owner, message_id=UUID(said["id"]), emoji="👍")
    return said


@pytest.mark.parametrize("repeat", [by_socket, by_rest])
@pytest.mark.parametrize("comes_back", [False, True])
async def test_who_is_out_does_not_hear_what_others_think_of_it(
    repeat: Repeat, comes_back: bool, app: App, group: Conversation, alice: User, bob: User
) -> None:
    said = await sync_to_async(said_and_liked)(bob, group, alice)
    if comes_back:
        await sync_to_async(add_members)(by=alice, conversation_id=group.pk, users=[bob])
    again = await repeat(await app(bob), said)
    assert (again["id"], again["text"], again["reactions"]) == (said["id"], "Hi", [])


@pytest.mark.parametrize("repeat", [by_socket, by_rest])
async def test_who_is_in_hears_it(repeat: Repeat, app: App, group: Conversation, alice: User, bob: User) -> None:
    said = (await sync_to_async(send_message)(by=bob, conversation_id=group.pk, text="Hi")).message
    await sync_to_async(add_reaction)(by=alice, message_id=UUID(said["id"]), emoji="👍")
    assert [each["emoji"] for each in (await repeat(await app(bob), said))["reactions"]] == ["👍"]
