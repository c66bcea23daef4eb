"""The worked example of docs/mobile.md at work: what its person says arrives once, and it knows all they may see."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from uuid_utils.compat import uuid7

from accounts.auth import sessions
from accounts.models import User
from conversations.creation import start_direct
from conversations.groups import add_members, remove_member, update_group
from conversations.models import Conversation, Participant
from conversations.personal_settings import update_settings
from messaging.models import Message
from tests.doors.phones import LONG, Open, texts, tokens
from tests.doors.test_socket_sign_in import expired
from tests.messaging.helpers import say
from tests.support.app import App, SignedOut
from tests.support.patience import until
from tests.support.server import Server, running


@pytest.fixture
def falling(committed: None) -> Iterator[Server]:
    """A server of its own, that will fall."""
    with running() as server:
        yield server


async def test_what_one_says_the_other_knows(phone: Open, alice: User, bob: User, conversation: Conversation) -> None:
    mine, theirs = await phone(alice), await phone(bob)
    await mine.say(str(conversation.pk), "Hello")
    assert await until(lambda: texts(theirs, conversation) == ["Hello"], within=LONG)
    await theirs.say(str(conversation.pk), "Hi")
    assert await until(lambda: texts(mine, conversation) == ["Hello", "Hi"], within=LONG)
    assert await until(lambda: not mine.outbox and not theirs.outbox, within=LONG)


async def test_what_is_said_while_the_server_is_down_arrives_once(
    falling: Server, phone: Open, alice: User, bob: User, conversation: Conversation
) -> None:
    mine, theirs = await phone(alice, falling), await phone(bob, falling)
    for number in range(50):
        await mine.say(str(conversation.pk), f"before {number}")
    falling.kill()
    for number in range(50):
        await mine.say(str(conversation.pk), f"meanwhile {number}")
    await asyncio.to_thread(lambda: (falling.start(), falling.wait()))
    said = [f"before {n}" for n in range(50)] + [f"meanwhile {n}" for n in range(50)]
    assert await until(
        lambda: not mine.outbox and texts(mine, conversation) == texts(theirs, conversation) == said, within=LONG
    )
    assert await Message.objects.filter(sender=alice).acount() == 100


async def test_it_knows_what_happened_while_it_was_away(
    phone: Open, server: Server, alice: User, bob: User, conversation: Conversation
) -> None:
    await sync_to_async(say)(bob, conversation, "While you were out")
    mine = await phone(alice)
    assert texts(mine, conversation) == ["While you were out"]


async def test_a_group_comes_changes_and_goes(phone: Open, alice: User, mallory: User, group: Conversation) -> None:
    theirs = await phone(mallory)
    await sync_to_async(add_members)(by=alice, conversation_id=group.pk, users=[mallory])
    assert await until(lambda: str(group.pk) in theirs.conversations, within=LONG)
    await sync_to_async(update_group)(by=alice, conversation_id=group.pk, name="Allotment")
    assert await until(lambda: theirs.conversations[str(group.pk)].shown["name"] == "Allotment", within=LONG)
    await sync_to_async(remove_member)(by=alice, conversation_id=group.pk, user_id=mallory.pk)
    assert await until(lambda: not theirs.conversations, within=LONG)


async def test_tokens_that_have_run_out_are_renewed(phone: Open, alice: User, conversation: Conversation) -> None:
    pair = await tokens(alice)
    mine = await phone(alice, refresh=pair["refresh"], access=expired(pair["access"]))
    await mine.say(str(conversation.pk), "Still here")
    assert await until(lambda: texts(mine, conversation) == ["Still here"], within=LONG)


async def test_what_is_refused_is_not_said_again(phone: Open, alice: User, group: Conversation) -> None:
    mine = await phone(alice)
    id = await mine.say(str(group.pk), " ")
    assert await until(lambda: id in mine.refused, within=LONG)
    assert mine.refused == {id: "invalid"}
    assert await until(lambda: not mine.outbox, within=LONG)


async def test_who_is_signed_out_does_not_come_back(server: Server, alice: User) -> None:
    pair = await tokens(alice)
    async with App(server.url, pair) as mine:
        life = asyncio.create_task(mine.live())
        await asyncio.wait_for(mine.is_up_to_date.wait(), LONG)
        await sync_to_async(lambda: [sessions.end_session(session=each) for each in alice.sessions.all()])()
        with pytest.raises(SignedOut):
            await asyncio.wait_for(life, LONG)


async def test_who_was_signed_out_meanwhile_is_told_so(server: Server, alice: User) -> None:
    pair = await tokens(alice)
    await sync_to_async(lambda: [sessions.end_session(session=each) for each in alice.sessions.all()])()
    async with App(server.url, pair) as mine:
        with pytest.raises(SignedOut):
            await asyncio.wait_for(mine.live(), LONG)


async def test_what_waited_is_sent_in_its_order(phone: Open, alice: User, conversation: Conversation) -> None:
    mine = await phone(alice)
    said = [f"line {number}" for number in range(150)]
    for text in said:
        await mine.say(str(conversation.pk), text)
    assert await until(lambda: texts(mine, conversation) == said, within=LONG)


async def test_a_wrong_clock_loses_nothing(phone: Open, alice: User, conversation: Conversation) -> None:
    mine = await phone(alice)
    long_ago = str(uuid7(nanoseconds=time.time_ns() - 8 * 24 * 3600 * 10**9))
    mine.outbox[long_ago] = {"type": "message.send", "conversation_id": str(conversation.pk), "text": "From last week"}
    await mine.say(str(conversation.pk), "From now")
    assert await until(lambda: texts(mine, conversation) == ["From last week", "From now"], within=LONG)
    assert not mine.refused


async def test_what_is_ones_own_is_known_and_what_came_is_told(phone: Open, alice: User, bob: User) -> None:
    theirs = await phone(bob)
    conversation = await sync_to_async(lambda: start_direct(by=alice, to=bob)[0])()
    sent = await sync_to_async(say)(alice, conversation, "For the first time")
    assert await until(lambda: texts(theirs, conversation) == ["For the first time"], within=LONG)
    mark = Participant.objects.filter(conversation=conversation, user=bob, delivered_through=sent["position"])
    async with asyncio.timeout(LONG):
        while not await mark.aexists():  # noqa: ASYNC110 (it is told by no event)
            await asyncio.sleep(0.05)
    await sync_to_async(update_settings)(by=bob, conversation_id=conversation.pk, pinned=True)
    assert await until(lambda: theirs.conversations[str(conversation.pk)].shown["me"]["pinned"], within=LONG)


async def test_something_before_the_server_that_says_no_is_no_end(alice: User) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        url = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        async with App(url, {"access": "x", "refresh": "y"}) as mine:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(mine.live(), 1)
