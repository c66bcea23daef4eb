"""Every field of every command, with whatever does not belong there: one answer, no failure of ours, an open socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, get_args

import pytest
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from messaging.socket.commands import Command, Connect
from messaging.socket.server_frames import ACKNOWLEDGED
from tests.doors.test_fuzz_rest import NASTY
from tests.messaging.helpers import say
from tests.support.client import Client, Socket

App = Callable[[User], Awaitable[Client]]
Fields = dict[str, Any]

COMMANDS = {str(kind.__struct_config__.tag): kind for kind in get_args(Command) if kind is not Connect}
# What can be written in JSON, but is no text.
WORST = [*NASTY, "\ud800", "\udc00\ud800", 1e308, -(2**63) - 1, {"": {"": []}}]
MUST_BE_ANSWERED = {*ACKNOWLEDGED, "ping"}


def good(kind: type, conversation: Conversation, message_id: str) -> Fields:
    """The fields of a command, so that it can be obeyed."""
    known: Fields = {
        "id": str(uuid7()),
        "conversation_id": str(conversation.pk),
        "message_id": message_id,
        "reply_to_id": message_id,
        "to": {"username": "bob"},
        "text": "x",
        "kind": "text",
        "media": [],
        "emoji": "\U0001f44d",
        "through": 1,
        "state": "start",
        "user_ids": [str(conversation.pk)],
    }
    return {name: known[name] for name in kind.__struct_fields__ if name != "ref"}


def broken(fields: Fields) -> Iterator[Fields]:
    """The fields with each of them missing, and with each, and what lies in each, made nasty in turn."""
    yield {**fields, "other": 1}
    for name, value in fields.items():
        yield {each: fields[each] for each in fields if each != name}
        for nasty in WORST:
            yield {**fields, name: nasty}
            if isinstance(value, list):
                yield {**fields, name: [nasty]}
            if isinstance(value, dict):
                yield from ({**fields, name: {**value, inner: nasty}} for inner in [*value, "other"])


async def answers(socket: Socket, type: str, fields: Fields, ref: str) -> list[Fields]:
    """Send a command, and give all that answers it."""
    await socket.send(json.dumps({"type": type, "ref": ref, **fields}))
    found = [await socket.next_frame("", ref=ref)] if type in MUST_BE_ANSWERED else []
    # What is answered only on error is answered before this.
    await socket.send({"type": "ping", "ref": "after"})
    await socket.next_frame("", ref="after")
    while any(frame.get("ref") == ref for frame in socket.seen()):
        found.append(await socket.next_frame("", ref=ref))
    return found


@pytest.mark.parametrize("type", COMMANDS)
async def test_a_command_with_a_field_that_is_not_right_is_answered_once(
    app: App, alice: User, bob: User, conversation: Conversation, type: str
) -> None:
    said = (await sync_to_async(say)(alice, conversation))["id"]
    async with (await app(alice)).socket() as socket:
        for number, fields in enumerate(broken(good(COMMANDS[type], conversation, said))):
            found = await answers(socket, type, fields, str(number))
            assert len(found) <= 1, (fields, found)
            assert [each for each in found if each["data"].get("code") == "unavailable"] == [], fields


async def test_a_ref_that_is_none_is_no_ref(app: App, alice: User) -> None:
    async with (await app(alice)).socket() as socket:
        for nasty in WORST:
            await socket.send(json.dumps({"type": "ping", "ref": nasty}))
            answer = await socket.any(within=20)
            assert answer["type"] in {"pong", "error"}, nasty
            assert answer.get("ref") in {nasty if isinstance(nasty, str) else None, None}, nasty
            assert answer["data"].get("code") in {None, "invalid", "bad_frame"}, nasty


async def test_nobody_comes_in_with_a_first_frame_that_is_not_right(app: App, alice: User) -> None:
    client = await app(alice)

    async def knock(frame: Fields) -> Any:
        async with client.bare_socket(headers={}) as socket:
            await socket.send(json.dumps(frame))
            return await socket.first()

    frames = [{"type": "connect", **fields} for fields in broken({"token": "x", "catch_up": True})]
    others = [{"type": nasty} for nasty in WORST] + [{"type": "ping"}]
    greetings = await asyncio.gather(*map(knock, [*frames, *others]))
    assert set(greetings) == {"error"}
