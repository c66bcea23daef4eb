"""Editing, deleting and reacting, by REST and by socket."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from messaging.messages.reactions import add_reaction
from tests.doors.conftest import Rest, Stored
from tests.messaging.helpers import say
from tests.support.client import Client

App = Callable[[User], Awaitable[Client]]

THUMB = "👍🏽"


def reaction(message: Any, emoji: str = THUMB) -> str:
    return f"/messages/{message['id']}/reactions/{quote(emoji, safe='')}"


# REST


def test_a_message_is_edited_and_read_as_it_is_now(
    rest: Rest, alice: User, bob: User, conversation: Conversation
) -> None:
    path = f"/messages/{say(alice, conversation)['id']}"
    answer = rest(alice).patch(path, json={"text": "Hello @bob"})
    assert answer.status_code == 200
    assert answer.json()["data"]["mentions"] == [str(bob.pk)]
    assert answer.json() == rest(bob).get(path).json()


@pytest.mark.parametrize(
    "body",
    [{}, *({"text": text} for text in (5, None, ["x"], "", " \n", "x" * 16_001, "a\0b"))],
    ids=lambda it: repr(it)[:30],
)
def test_a_new_text_that_is_none_is_invalid_there(
    rest: Rest, stored: Stored, alice: User, conversation: Conversation, body: dict[str, Any]
) -> None:
    path, client = f"/messages/{say(alice, conversation)['id']}", rest(alice)
    before = stored()
    answer = client.patch(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/text"]
    assert stored() == before


def test_a_message_is_deleted_as_often_as_one_likes(rest: Rest, alice: User, conversation: Conversation) -> None:
    client, path = rest(alice), f"/messages/{say(alice, conversation)['id']}"
    for _ in range(2):
        answer = client.delete(path)
        assert (answer.status_code, answer.json()) == (200, {"data": {"success": True}})
    assert client.get(path).json()["data"]["deleted_at"]


@pytest.mark.parametrize("emoji", [THUMB, "❤", "#️⃣", "👩‍❤️‍💋‍👨"])
def test_a_reaction_comes_and_goes(rest: Rest, alice: User, conversation: Conversation, emoji: str) -> None:
    client, said = rest(alice), say(alice, conversation)
    for _ in range(2):
        answer = client.put(reaction(said, emoji))
        assert answer.status_code == 200
        (one,) = answer.json()["data"]["reactions"]
        assert (one["user_ids"], one["count"]) == ([str(alice.pk)], 1)
    for _ in range(2):
        answer = client.delete(reaction(said, emoji))
        assert (answer.status_code, answer.json()["data"]["reactions"]) == (200, [])


@pytest.mark.parametrize("emoji", ["x", "👍👍", "\0", "%ff", " "])
def test_what_is_no_emoji_is_invalid_there(rest: Rest, alice: User, conversation: Conversation, emoji: str) -> None:
    said = say(alice, conversation)
    for method in ("PUT", "DELETE"):
        answer = rest(alice).request(method, reaction(said, emoji).replace("%25ff", "%ff"))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert answer.json()["errors"][0]["pointer"] == "/emoji"


def test_what_is_not_mine_to_change_is_not_allowed_and_what_i_do_not_see_not_there(
    rest: Rest, alice: User, bob: User, mallory: User, conversation: Conversation
) -> None:
    path = f"/messages/{say(alice, conversation)['id']}"
    for by, status in ((bob, 403), (mallory, 404)):
        client = rest(by)
        assert client.patch(path, json={"text": "Ho"}).status_code == status
        assert client.delete(path).status_code == status
    assert rest(mallory).put(f"{path}/reactions/{quote(THUMB)}").status_code == 404


# The socket


async def test_a_change_is_acknowledged_to_whoever_made_it_and_heard_by_the_others(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await app(alice)).socket() as mine, (await app(bob)).socket() as theirs:
        said = await mine.say(str(conversation.pk), "Helo")
        await theirs.next("message.created")
        changes: list[tuple[str, dict[str, Any]]] = [
            ("message.edit", {"text": "Hello"}),
            ("reaction.add", {"emoji": THUMB}),
            ("reaction.remove", {"emoji": THUMB}),
            ("message.delete", {}),
        ]
        for n, (name, fields) in enumerate(changes, 2):
            answer = await mine.ask(name, message_id=said["id"], **fields)
            assert answer["type"] == "ack", answer
            heard = await theirs.next("message.updated")
            assert (heard["version"], heard["message"]) == (n, answer["data"])
            assert heard["conversation_id"] == str(conversation.pk)
        assert heard["message"]["deleted_at"]


async def test_a_repeat_by_socket_is_the_message_as_it_is_now(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    async with (await app(alice)).socket() as mine:
        said = await mine.say(str(conversation.pk), "Hi @bob")
        liked = await sync_to_async(add_reaction)(by=bob, message_id=UUID(said["id"]), emoji=THUMB)
        again = await mine.ask("message.send", id=said["id"], conversation_id=str(conversation.pk), text="Hi @bob")
    assert again["data"] == liked
    assert (liked["mentions"], liked["reactions"][0]["count"]) == ([str(bob.pk)], 1)


@pytest.mark.parametrize(
    ("type", "fields", "code", "pointer"),
    [
        ("message.edit", {"text": ""}, "invalid", "/text"),
        ("message.edit", {"text": 5}, "invalid", "/text"),
        ("message.edit", {}, "invalid", "/text"),
        ("message.edit", {"text": "Ho", "message_id": "x"}, "invalid", "/message_id"),
        ("message.edit", {"text": "Ho", "message_id": str(uuid7())}, "not_found", None),
        ("message.edit", {"text": "Ho"}, "not_allowed", None),
        ("message.delete", {}, "not_allowed", None),
        ("message.delete", {"message_id": None}, "invalid", "/message_id"),
        ("reaction.add", {"emoji": "x"}, "invalid", "/emoji"),
        ("reaction.add", {"emoji": None}, "invalid", "/emoji"),
        ("reaction.remove", {"emoji": ""}, "invalid", "/emoji"),
        ("reaction.remove", {"emoji": THUMB, "message_id": str(uuid7())}, "not_found", None),
    ],
)
async def test_a_change_that_may_not_be_is_refused_with_the_reason(
    app: App,
    alice: User,
    bob: User,
    conversation: Conversation,
    type: str,
    fields: dict[str, Any],
    code: str,
    pointer: str | None,
) -> None:
    said = await sync_to_async(say)(bob, conversation)
    async with (await app(alice)).socket() as socket:
        answer = await socket.ask(type, **{"message_id": said["id"]} | fields)
    assert (answer["type"], answer["data"]["code"]) == ("error", code)
    assert [each["pointer"] for each in answer["data"].get("errors", [])] == ([pointer] if pointer else [])
