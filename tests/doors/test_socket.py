"""The socket as a door: commands and their answers, events and their order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.models import User
from accounts.people.relationships import make_contacts
from conversations.creation import create_group
from conversations.models import Conversation
from messaging.messages.send import send_message
from messaging.models import Message
from tests.support.client import Client, Socket
from tests.support.wallet import Wallet, give_wallet

App = Callable[[User], Awaitable[Client]]


async def test_what_alice_says_is_on_bobs_screen(app: App, alice: User, bob: User, conversation: Conversation) -> None:
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        said = await speaker.say(str(conversation.pk), "Hi")
        assert (await screen.next("message.created"))["message"] == said


async def test_the_speaker_s_other_devices_hear_it_too(app: App, alice: User, conversation: Conversation) -> None:
    async with (await app(alice)).socket() as speaker, (await app(alice)).socket() as other:
        said = await speaker.say(str(conversation.pk), "Hi")
        assert (await speaker.next("message.created"))["message"] == said
        assert (await other.next("message.created"))["message"] == said


async def test_a_stranger_neither_hears_nor_speaks(
    app: App, alice: User, mallory: User, conversation: Conversation
) -> None:
    async with (await app(alice)).socket() as speaker, (await app(mallory)).socket() as stranger:
        await speaker.say(str(conversation.pk), "Hi")
        answer = await stranger.ask("message.send", conversation_id=str(conversation.pk), text="Let me in")
        assert answer["data"]["code"] == "not_found"
        assert await stranger.silence("message.created")
    assert await Message.objects.acount() == 1


async def test_an_answer_carries_the_ref_and_the_whole_message(
    app: App, alice: User, conversation: Conversation
) -> None:
    id = str(uuid7())
    async with (await app(alice)).socket() as socket:
        await socket.send(
            {"type": "message.send", "ref": "my 7", "id": id, "conversation_id": str(conversation.pk), "text": " Hi\n"}
        )
        answer = await socket.next_frame("ack")
    created_at = answer["data"].pop("created_at")
    assert answer == {
        "type": "ack",
        "ref": "my 7",
        "data": {
            "id": id,
            "conversation_id": str(conversation.pk),
            "position": 1,
            "version": 1,
            "kind": "text",
            "sender_id": str(alice.pk),
            "text": " Hi\n",
            "media": [],
            "reply_to_id": None,
            "mentions": [],
            "reactions": [],
            "notice": None,
            "edited_at": None,
            "deleted_at": None,
        },
    }
    assert created_at.endswith("Z")
    assert len(created_at) == len("2026-01-31T12:00:00.000Z")


async def test_without_a_ref_there_is_no_ack_but_errors_are_still_said(
    app: App, alice: User, conversation: Conversation
) -> None:
    async with (await app(alice)).socket() as socket:
        await socket.send({"type": "message.send", "conversation_id": str(conversation.pk), "text": "Hi"})
        await socket.next("message.created")
        assert await socket.silence("ack")
        await socket.send({"type": "message.send", "conversation_id": str(conversation.pk), "text": ""})
        refusal = await socket.next_frame("error")
    assert refusal["data"]["code"] == "invalid"
    assert "ref" not in refusal


async def test_a_ping_without_a_ref_is_answered_without_one(app: App, alice: User) -> None:
    async with (await app(alice)).socket() as socket:
        await socket.send({"type": "ping"})
        assert (await socket.next_frame("pong")).keys() == {"type", "data"}


async def test_a_ping_is_answered_by_a_pong_with_the_time(app: App, alice: User) -> None:
    async with (await app(alice)).socket() as socket:
        answer = await socket.ask("ping")
    assert answer["type"] == "pong"
    assert answer["data"]["server_time"].endswith("Z")


async def test_unknown_fields_are_left_alone(app: App, alice: User, conversation: Conversation) -> None:
    async with (await app(alice)).socket() as socket:
        assert (await socket.say(str(conversation.pk), "Hi", mood="sunny", nested={"a": [1]}))["text"] == "Hi"


@pytest.mark.parametrize(
    "text",
    ["x" * 16_000, "é" * 16_000, "😀" * 8_000, " \u202e\u0007 tab\t ", "a\u0301\ufeff", "  " + "x" * 16_000 + "\n\n"],
)
async def test_a_text_arrives_as_it_was_written(
    app: App, alice: User, bob: User, conversation: Conversation, text: str
) -> None:
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        await speaker.say(str(conversation.pk), text)
        assert (await screen.next("message.created"))["message"]["text"] == text


@pytest.mark.parametrize("name", ["username", "Username", "id"])
async def test_a_message_to_a_person_opens_the_conversation(app: App, alice: User, mallory: User, name: str) -> None:
    reference = {
        "username": {"username": "mallory"},
        "Username": {"username": "Mallory"},
        "id": {"id": str(mallory.pk)},
    }[name]
    async with (await app(alice)).socket() as speaker, (await app(mallory)).socket() as screen:
        answer = await speaker.ask("message.send", to=reference, text="Hello there")
        opened = await screen.next("conversation.created")
        again = await speaker.ask("message.send", to=reference, text="Still there?")
        heard = [await screen.next("message.created") for _ in range(2)]
    assert opened["id"] == answer["data"]["conversation_id"] == again["data"]["conversation_id"]
    assert opened["kind"] == "direct"
    assert opened["name"] == "Alice"
    assert [each["message"] for each in heard] == [answer["data"], again["data"]]


async def test_being_put_into_a_group_is_heard_by_its_members_alone(
    app: App, alice: User, bob: User, mallory: User
) -> None:
    async with (await app(bob)).socket() as member, (await app(mallory)).socket() as stranger:
        group = await sync_to_async(create_group)(by=alice, name="Garden", participants=[bob])
        created = await member.next("conversation.created")
        assert await stranger.silence("conversation.created")
        await sync_to_async(send_message)(by=alice, conversation_id=group.pk, text="Welcome")
        assert (await member.next("message.created"))["version"] == created["version"] + 1
    assert created["name"] == "Garden"
    assert created["me"]["role"] == "member"
    assert {each["user"]["username"]: each["role"] for each in created["participants"]} == {
        "alice": "owner",
        "bob": "member",
    }


async def test_a_repeated_send_is_answered_to_its_sender_alone(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    frame = {"id": str(uuid7()), "conversation_id": str(conversation.pk), "text": "Hi"}
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        first = await speaker.ask("message.send", **frame)
        await screen.next("message.created")
        assert (await speaker.ask("message.send", **frame))["data"] == first["data"]
        assert await screen.silence("message.created")
    assert await Message.objects.acount() == 1


async def test_the_same_send_many_times_in_one_breath_is_one_message(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    frame = {"type": "message.send", "id": str(uuid7()), "conversation_id": str(conversation.pk), "text": "Hi"}
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        for n in range(20):
            await speaker.send({**frame, "ref": str(n)})
        answers = [(await speaker.next_frame("ack", ref=str(n)))["data"] for n in range(20)]
        await screen.next("message.created")
        assert await screen.silence("message.created")
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_an_id_that_is_another_message_s_is_a_conflict(
    app: App, alice: User, bob: User, conversation: Conversation, who: str
) -> None:
    frame = {"id": str(uuid7()), "conversation_id": str(conversation.pk), "text": "Hi"}
    async with (await app(alice)).socket() as first, (await app({"alice": alice, "bob": bob}[who])).socket() as second:
        await first.ask("message.send", **frame)
        answer = await second.ask("message.send", **{**frame, "text": "Hi" if who == "bob" else "Ho"})
    assert answer["data"]["code"] == "id_conflict"
    assert answer["data"]["errors"][0]["pointer"] == "/id"
    assert await Message.objects.acount() == 1


async def test_a_refused_id_may_be_used_anew(app: App, alice: User, conversation: Conversation) -> None:
    id = str(uuid7())
    async with (await app(alice)).socket() as socket:
        refused = await socket.ask("message.send", id=id, conversation_id=str(uuid7()), text="Hi")
        said = await socket.ask("message.send", id=id, conversation_id=str(conversation.pk), text="Hi")
    assert (refused["type"], said["type"]) == ("error", "ack")


async def test_a_reply_names_what_it_answers(app: App, alice: User, bob: User, conversation: Conversation) -> None:
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        question = await speaker.say(str(conversation.pk), "Tea?")
        answer = await screen.say(str(conversation.pk), "Yes", reply_to_id=question["id"])
    assert answer["reply_to_id"] == question["id"]


async def test_a_reply_to_something_said_elsewhere_is_refused(
    app: App, alice: User, conversation: Conversation, group: Conversation
) -> None:
    async with (await app(alice)).socket() as socket:
        elsewhere = await socket.say(str(group.pk), "Tea?")
        answer = await socket.ask(
            "message.send", conversation_id=str(conversation.pk), text="Yes", reply_to_id=elsewhere["id"]
        )
    assert answer["data"]["code"] == "unprocessable"
    assert answer["data"]["errors"][0]["pointer"] == "/reply_to_id"


async def test_500_sends_in_one_breath_keep_their_order(
    app: App, alice: User, bob: User, conversation: Conversation
) -> None:
    texts = [f"line {n}" for n in range(500)]
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        for text in texts:
            await speaker.send(
                {"type": "message.send", "ref": text, "conversation_id": str(conversation.pk), "text": text}
            )
        heard = [await screen.next("message.created") for _ in texts]
        answers = [(await speaker.next_frame("ack", ref=text))["data"] for text in texts]
    assert [each["message"]["text"] for each in heard] == texts
    assert [each["version"] for each in heard] == list(range(1, 501))
    assert [each["message"] for each in heard] == answers


async def test_many_who_speak_at_once_are_heard_by_all_in_one_order(
    app: App, alice: User, bob: User, carol: User, group: Conversation
) -> None:
    async with (
        (await app(alice)).socket() as one,
        (await app(bob)).socket() as two,
        (await app(carol)).socket() as three,
    ):
        sockets = (one, two, three)
        await asyncio.gather(*(chatter(socket, group) for socket in sockets))
        heard = [[await socket.next("message.created") for _ in range(60)] for socket in sockets]
    assert heard[0] == heard[1] == heard[2]
    assert [each["version"] for each in heard[0]] == list(range(group.version + 1, group.version + 61))


async def chatter(socket: Socket, group: Conversation) -> None:
    for n in range(20):
        await socket.say(str(group.pk), f"line {n}")


@pytest.mark.parametrize("kind", ["delivered", "read"])
async def test_a_mark_is_answered_only_on_error(kind: str, app: App, alice: User, conversation: Conversation) -> None:
    async with (await app(alice)).socket() as socket:
        await socket.send({"type": kind, "ref": "1", "conversation_id": str(conversation.pk), "through": 0})
        await socket.send({"type": kind, "ref": "2", "conversation_id": str(uuid7()), "through": 0})
        assert (await socket.next_frame("error", ref="2"))["data"]["code"] == "not_found"
        assert await socket.silence("ack")


async def test_a_commands_error_never_ends_the_others(app: App, alice: User, conversation: Conversation) -> None:
    frames: list[dict[str, Any]] = [
        {"text": "one"},
        {"text": ""},
        {"text": "two"},
        {"conversation_id": str(uuid7()), "text": "x"},
        {"text": "three"},
    ]
    async with (await app(alice)).socket() as socket:
        for n, frame in enumerate(frames):
            await socket.send({"type": "message.send", "ref": str(n), "conversation_id": str(conversation.pk), **frame})
        answers = [(await socket.next_frame("", ref=str(n)))["type"] for n in range(5)]
    assert answers == ["ack", "error", "ack", "error", "ack"]


async def test_a_wallet_names_its_person_to_contacts_alone(app: App, alice: User, bob: User) -> None:
    await sync_to_async(give_wallet)(bob)
    async with (await app(alice)).socket() as socket:
        for wallet in (Wallet(), Wallet(2)):
            refused = await socket.ask("message.send", to={"wallet": wallet.address}, text="Hi")
            assert refused["data"]["code"] == "not_found"
        await sync_to_async(make_contacts)(alice.pk, bob.pk)
        said = await socket.ask("message.send", to={"wallet": Wallet().address}, text="Hi")
        assert said["data"]["text"] == "Hi"
