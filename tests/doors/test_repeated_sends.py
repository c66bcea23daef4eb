"""A repeat is recognised whoever sends it; but whoever is out learns nothing from it that others have done since."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from conversations.groups import add_members, remove_member
from conversations.models import Conversation
from messaging.messages.json import MessageJSON
from messaging.messages.reactions import add_reaction
from messaging.messages.send import send_message
from tests.messaging.helpers import say, uploaded
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]
Repeat = Callable[[Client, MessageJSON, dict[str, Any]], Awaitable[MessageJSON]]


async def by_socket(client: Client, said: MessageJSON, fields: dict[str, Any]) -> MessageJSON:
    async with client.socket() as socket:
        answer = await socket.ask("message.send", id=said["id"], conversation_id=said["conversation_id"], **fields)
    return answer["data"]


async def by_rest(client: Client, said: MessageJSON, fields: dict[str, Any]) -> MessageJSON:
    answer = await client.post("/messages", id=said["id"], conversation_id=said["conversation_id"], **fields)
    assert answer.status_code == 200
    return answer.json()["data"]


def fields_of(kind: str, by: User, group: Conversation, source: Conversation) -> dict[str, Any]:
    """What a message of each kind is sent with, the first time and again."""
    if kind == "text":
        return {"text": "Hi"}
    if kind == "media":
        return {"text": "Look", "media": [str(uploaded(by).pk)]}
    if kind == "reply":
        return {"text": "Yes", "reply_to_id": say(by, group, "Is it so?")["id"]}
    return {"forward_of_id": say(by, source, "Pass it on")["id"]}


def send(by: User, group: Conversation, fields: dict[str, Any]) -> MessageJSON:
    ids = {name: UUID(value) for name, value in fields.items() if name.endswith("_id")}
    media = {"media": [UUID(id) for id in fields["media"]]} if "media" in fields else {}
    return send_message(by=by, conversation_id=group.pk, **{**fields, **ids, **media}).message


def remove_and_like(said: MessageJSON, by: User, group: Conversation, owner: User, *, comes_back: bool) -> None:
    """Put someone out, have the owner like what they said, and let them back in, perhaps."""
    remove_member(by=owner, conversation_id=group.pk, user_id=by.pk)
    add_reaction(by=owner, message_id=UUID(said["id"]), emoji="👍")
    if comes_back:
        add_members(by=owner, conversation_id=group.pk, users=[by])


@pytest.mark.parametrize("comes_back", [False, True])
@pytest.mark.parametrize(
    ("repeat", "kind"),
    [(by_rest, kind) for kind in ("text", "media", "reply", "forward")]
    + [(by_socket, kind) for kind in ("text", "media", "reply")],
)
async def test_who_is_out_learns_nothing_that_others_have_done_since(
    repeat: Repeat,
    kind: str,
    comes_back: bool,
    app: App,
    group: Conversation,
    conversation: Conversation,
    alice: User,
    bob: User,
) -> None:
    fields = await sync_to_async(fields_of)(kind, bob, group, conversation)
    said = await sync_to_async(send)(bob, group, fields)
    await sync_to_async(remove_and_like)(said, bob, group, alice, comes_back=comes_back)
    again = await repeat(await app(bob), said, fields)
    assert again == {**said, "media": []}


@pytest.mark.parametrize("kind", ["text", "forward"])
async def test_who_is_still_in_is_told_the_message_as_it_is(
    kind: str, app: App, group: Conversation, conversation: Conversation, alice: User, bob: User
) -> None:
    fields = await sync_to_async(fields_of)(kind, bob, group, conversation)
    said = await sync_to_async(send)(bob, group, fields)
    await sync_to_async(add_reaction)(by=alice, message_id=UUID(said["id"]), emoji="👍")
    again = await by_rest(await app(bob), said, fields)
    assert ([each["emoji"] for each in again["reactions"]], again["version"]) == (["👍"], said["version"] + 1)
