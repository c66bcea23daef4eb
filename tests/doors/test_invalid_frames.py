"""Frames that can't be obeyed: each is answered by an `error` that names the reason, and leaves nothing behind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from conversations.models import Conversation
from tests.doors.conftest import Stored
from tests.support.client import Client, Socket
from tests.support.ids import minted

App = Callable[[User], Awaitable[Client]]


@pytest.fixture
async def socket(app: App, alice: User, conversation: Conversation) -> AsyncIterator[Socket]:
    """Alice's socket."""
    async with (await app(alice)).socket() as opened:
        yield opened


async def error(socket: Socket) -> dict[str, Any]:
    return await socket.next("error")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("this is no JSON", "bad_frame"),
        ("", "bad_frame"),
        ('{"type":"ping"', "bad_frame"),
        ('{"type":"ping","x":NaN}', "bad_frame"),
        ("[]", "bad_frame"),
        ('[{"type":"ping"}]', "bad_frame"),
        ('"ping"', "bad_frame"),
        ("7", "bad_frame"),
        ("null", "bad_frame"),
        ("{}", "bad_frame"),
        ('{"ref":"1"}', "bad_frame"),
        ('{"type":7}', "bad_frame"),
        ('{"type":null}', "bad_frame"),
        (b'{"type":"ping"}', "bad_frame"),
        ("[" * 60_000, "bad_frame"),
        ('{"type":"ping","x":' + "[" * 60_000, "bad_frame"),
        ('{"type":"ping","x":' + "[" * 30_000 + "]" * 30_000 + "}", "bad_frame"),
        ('{"type":"ping","x":"' + "x" * 65_536 + '"}', "too_large"),
        ('{"type":"ping","x":"' + "é" * 32_768 + '"}', "too_large"),
        ('{"type":"ping","x":"' + "😀" * 16_384 + '"}', "too_large"),
        ('{"type":"dance"}', "unknown_type"),
        ('{"type":""}', "unknown_type"),
        ('{"type":"Ping"}', "unknown_type"),
        ('{"type":"message.created","data":{}}', "unknown_type"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_frame_that_makes_no_sense_is_named_and_the_socket_stays(
    socket: Socket, frame: str | bytes, code: str
) -> None:
    await socket.send(frame)
    assert (await error(socket))["code"] == code
    assert (await socket.ask("ping"))["type"] == "pong"


async def test_a_frame_that_is_too_large_is_answered_by_its_ref(socket: Socket, conversation: Conversation) -> None:
    answer = await socket.ask("message.send", conversation_id=str(conversation.pk), text="😀" * 16_384)
    assert answer["data"]["code"] == "too_large"


async def test_a_frame_of_just_the_allowed_size_is_obeyed(socket: Socket) -> None:
    empty = '{"type":"ping","ref":"1","x":""}'
    await socket.send(empty.replace('"x":""', f'"x":"{"é" * ((65_536 - len(empty)) // 2)}"'))
    assert (await socket.next_frame("pong"))["ref"] == "1"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"text": 5}, "/text"),
        ({"text": None}, "/text"),
        ({"text": ["x"]}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": " \n\t\u2003"}, "/text"),
        ({"text": "x" * 16_001}, "/text"),
        ({"text": "a\0b"}, "/text"),
        ({"id": 5}, "/id"),
        ({"id": "x"}, "/id"),
        ({"id": str(uuid4())}, "/id"),
        ({"id": "00000000-0000-0000-0000-000000000000"}, "/id"),
        ({"id": uuid7().hex}, "/id"),
        ({"id": "{" + str(uuid7()) + "}"}, "/id"),
        ({"id": minted(-timedelta(days=7, minutes=1))}, "/id"),
        ({"id": minted(timedelta(hours=1))}, "/id"),
        ({"id": "ffffffff-ffff-7fff-bfff-ffffffffffff"}, "/id"),
        ({"conversation_id": 5}, "/conversation_id"),
        ({"conversation_id": "x"}, "/conversation_id"),
        ({"conversation_id": str(uuid4())}, "/conversation_id"),
        ({"conversation_id": None}, "/conversation_id"),
        ({"to": {"username": "bob"}}, "/conversation_id"),
        ({"conversation_id": None, "to": 5}, "/to"),
        ({"conversation_id": None, "to": []}, "/to"),
        ({"conversation_id": None, "to": {}}, "/to"),
        ({"conversation_id": None, "to": {"username": "bob", "id": str(uuid7())}}, "/to"),
        ({"conversation_id": None, "to": {"username": 5}}, "/to/username"),
        ({"conversation_id": None, "to": {"id": "bob"}}, "/to/id"),
        ({"conversation_id": None, "to": {"id": str(uuid4())}}, "/to/id"),
        ({"conversation_id": None, "to": {"username": "b\0b"}}, "/to/username"),
        ({"kind": 5}, "/kind"),
        ({"kind": "notice"}, "/kind"),
        ({"kind": "song"}, "/kind"),
        ({"media": 5}, "/media"),
        ({"media": [5]}, "/media/0"),
        ({"media": [str(uuid4())]}, "/media/0"),
        ({"media": [str(uuid7())] * 11}, "/media"),
        ({"reply_to_id": 5}, "/reply_to_id"),
        ({"reply_to_id": str(uuid4())}, "/reply_to_id"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_a_message_with_a_field_that_is_not_right_is_invalid_there(
    socket: Socket, stored: Stored, conversation: Conversation, fields: dict[str, Any], pointer: str
) -> None:
    before = await sync_to_async(stored)()
    message = {"text": "Hi", "conversation_id": str(conversation.pk)} | fields
    answer = await socket.ask(
        "message.send", **{name: value for name, value in message.items() if value is not None or name == "text"}
    )
    assert answer["type"] == "error"
    assert answer["data"]["code"] == "invalid"
    assert [each["pointer"] for each in answer["data"]["errors"]] == [pointer]
    assert await sync_to_async(stored)() == before


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"kind": "image"}, "unprocessable", "/kind"),
        ({"media": [str(uuid7())]}, "unprocessable", "/media"),
        ({"reply_to_id": str(uuid7())}, "unprocessable", "/reply_to_id"),
        ({"conversation_id": str(uuid7())}, "not_found", None),
        ({"conversation_id": None, "to": {"username": "nobody"}}, "not_found", None),
        ({"conversation_id": None, "to": {"id": str(uuid7())}}, "not_found", None),
        ({"conversation_id": None, "to": {"wallet": "0x00"}}, "invalid", "/to"),
        ({"conversation_id": None, "to": {"wallet": "0x" + "Ab" * 20}}, "invalid", "/to"),
        ({"conversation_id": None, "to": {"wallet": "0x" + "ab" * 20}}, "not_found", None),
        ({"conversation_id": None, "to": {"username": "alice"}}, "unprocessable", "/to"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_a_message_that_may_not_be_is_refused_with_the_reason(
    socket: Socket, stored: Stored, conversation: Conversation, fields: dict[str, Any], code: str, pointer: str | None
) -> None:
    before = await sync_to_async(stored)()
    message = {"text": "Hi", "conversation_id": str(conversation.pk)} | fields
    answer = await socket.ask("message.send", **{name: value for name, value in message.items() if value is not None})
    assert answer["data"]["code"] == code
    assert [each["pointer"] for each in answer["data"].get("errors", [])] == ([pointer] if pointer else [])
    assert await sync_to_async(stored)() == before


async def test_half_a_character_is_invalid(socket: Socket, stored: Stored, conversation: Conversation) -> None:
    before = await sync_to_async(stored)()
    for half in (r"\ud83d", r"\ude00", r"\ud83d\ud83d", r"a\udfffb"):
        await socket.send(f'{{"type":"message.send","ref":"1","conversation_id":"{conversation.pk}","text":"{half}"}}')
        assert (await socket.next_frame("error", ref="1"))["data"]["code"] == "invalid", half
    assert await sync_to_async(stored)() == before


@pytest.mark.parametrize("ref", [7, [], {}, True, "x" * 65], ids=repr)
async def test_a_ref_is_a_short_string(socket: Socket, ref: Any) -> None:
    await socket.send({"type": "ping", "ref": ref})
    refusal = await socket.next_frame("error")
    assert refusal["data"]["errors"][0]["pointer"] == "/ref"
    assert "ref" not in refusal


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"through": "5"}, "/through"),
        ({"through": -1}, "/through"),
        ({"through": 1.5}, "/through"),
        ({"through": True}, "/through"),
        ({"through": 2**63}, "/through"),
        ({"through": 10**40}, "/through"),
        ({}, "/through"),
        ({"through": 1, "conversation_id": "x"}, "/conversation_id"),
        ({"through": 1, "conversation_id": str(uuid4())}, "/conversation_id"),
    ],
    ids=lambda value: repr(value)[:60],
)
@pytest.mark.parametrize("kind", ["delivered", "read"])
async def test_a_mark_with_a_field_that_is_not_right_is_invalid_there(
    kind: str, socket: Socket, conversation: Conversation, fields: dict[str, Any], pointer: str
) -> None:
    await socket.send({"type": kind, "ref": "1", "conversation_id": str(conversation.pk)} | fields)
    answer = await socket.next_frame("error", ref="1")
    assert answer["data"]["code"] == "invalid"
    assert answer["data"]["errors"][0]["pointer"] == pointer


async def test_a_refused_first_message_opens_no_conversation(
    app: App, stored: Stored, alice: User, carol: User
) -> None:
    async with (await app(alice)).socket() as socket:
        before = await sync_to_async(stored)()
        answer = await socket.ask("message.send", to={"username": "carol"}, text=" ")
        assert answer["data"]["code"] == "invalid"
        assert await sync_to_async(stored)() == before


async def test_twenty_bad_frames_in_a_minute_close_with_4500(socket: Socket) -> None:
    for n in range(20):
        await socket.send(f"bad frame {n}")
    assert await socket.closed() == 4500
    said = [(await error(socket))["code"] for _ in range(21)]
    assert said == ["bad_frame"] * 21


async def test_nothing_is_obeyed_behind_the_frame_that_closes(
    socket: Socket, stored: Stored, conversation: Conversation
) -> None:
    before = await sync_to_async(stored)()
    for _ in range(20):
        await socket.send("bad")
    await socket.send({"type": "message.send", "conversation_id": str(conversation.pk), "text": "too late"})
    assert await socket.closed() == 4500
    assert await sync_to_async(stored)() == before


async def test_refusals_that_make_sense_close_nothing(socket: Socket) -> None:
    for _ in range(25):
        assert (await socket.ask("message.send", conversation_id=str(uuid7()), text="Hi"))["type"] == "error"
    assert (await socket.ask("ping"))["type"] == "pong"


async def test_more_than_a_mebibyte_closes_with_1009(socket: Socket) -> None:
    await socket.send("x" * (1024 * 1024 + 1))
    assert await socket.closed() == 1009


async def test_invalid_utf_8_closes_with_1007(socket: Socket) -> None:
    await socket.send(b'{"type":"ping","x":"\xff"}', as_text=True)
    assert await socket.closed() == 1007
