"""The group commit: messages that many people send to one server process at once."""

import asyncio
from asyncio import Future, ensure_future, gather
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Blocked, IdConflict, Invalid
from chatproject.core.ids import uuid7
from conversations.creation import start_direct
from conversations.models import Conversation
from messaging.messages.group_commit import GroupCommit, group_commit
from messaging.messages.outcome import SendResult
from messaging.models import Message
from messaging.retention.partitions import monday, name_of, partitions
from tests.messaging.helpers import (
    change_place,
    commit,
    draft,
    hold,
    id_at,
    place,
    positions,
    remove,
    send_by_socket,
    texts,
)
from tests.messaging.wire import wire_to_database
from tests.support.together import another_connection, until_blocked

pytestmark = pytest.mark.usefixtures("live")


def speak(by: User, conversation: Conversation, text: str = "Hi", **fields: Any) -> "Future[SendResult]":
    """Begin to say something."""
    return ensure_future(send_by_socket(by_id=by.pk, conversation_id=conversation.pk, text=text, **fields))


@sync_to_async
def stored(conversation: Conversation) -> list[Message]:
    said = Message.objects.filter(conversation=conversation).exclude(kind="notice")
    return list(said.order_by("position").select_related("sender"))


@sync_to_async
def sql(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


blocked = sync_to_async(until_blocked)


async def test_messages_of_many_senders_have_one_position_each_in_each_senders_order(
    alice: User, bob: User, carol: User, group: Conversation, conversation: Conversation
) -> None:
    other, _ = await sync_to_async(start_direct)(by=bob, to=carol)
    rooms = {conversation: [alice, bob], group: [alice, bob, carol], other: [bob, carol]}
    sending = [speak(by, room, f"{by} {n}") for n in range(100) for room, members in rooms.items() for by in members]
    answers = [said.message for said in await gather(*sending)]
    for room, members in rooms.items():
        said = await stored(room)
        assert [message.position - room.version for message in said] == [*range(1, 100 * len(members) + 1)]
        here = sorted((it for it in answers if it["conversation_id"] == str(room.pk)), key=lambda it: it["position"])
        assert [it["id"] for it in here] == [str(message.pk) for message in said]
        for by in members:
            assert [it["text"] for it in here if it["sender_id"] == str(by.pk)] == [f"{by} {n}" for n in range(100)]


async def test_messages_sent_together_share_one_commit(conversation: Conversation, alice: User, bob: User) -> None:
    await gather(*(speak(by, conversation) for _ in range(100) for by in (alice, bob)))
    assert await sql("SELECT count(*), count(DISTINCT xmin::text) FROM messaging_message") == [(200, 1)]


async def test_the_same_message_twice_in_a_batch_is_stored_once(conversation: Conversation, alice: User) -> None:
    id = uuid7()
    first, second = await gather(speak(alice, conversation, id=id), speak(alice, conversation, id=id))
    assert (first.repeated, second.repeated) == (False, True)
    assert first.message == second.message
    assert len(await stored(conversation)) == 1


async def test_of_two_different_messages_with_one_id_in_a_batch_the_first_counts(
    conversation: Conversation, alice: User
) -> None:
    id = uuid7()
    first, second = speak(alice, conversation, "Hi", id=id), speak(alice, conversation, "Ho", id=id)
    assert (await first).message["text"] == "Hi"
    with pytest.raises(IdConflict):
        await second


async def test_one_message_sent_to_two_servers_at_once_is_one_message(
    conversation: Conversation, alice: User, bob: User
) -> None:
    it = await sync_to_async(draft)(alice, conversation)
    commits = [group_commit(), GroupCommit()]
    with another_connection() as holding:
        hold(conversation, holding)
        answers = [asyncio.ensure_future(commit(it, each)) for each in commits]
        beside = asyncio.ensure_future(commit(await sync_to_async(draft)(bob, conversation), commits[1]))
        await blocked(2)
    one, other = await gather(*answers)
    assert one.message == other.message
    assert {one.message["position"], (await beside).message["position"]} == {1, 2}
    await commits[1].drain()


async def test_a_refusal_does_not_affect_the_rest_of_the_batch(
    group: Conversation, alice: User, bob: User, carol: User, mallory: User
) -> None:
    await sync_to_async(change_place)(carol, group, barred=True)
    answers = await gather(
        speak(alice, group, "first"),
        speak(mallory, group),
        speak(carol, group),
        speak(bob, group, id=id_at(timedelta(days=8))),
        speak(bob, group, "second"),
        return_exceptions=True,
    )
    refused = [type(each) for each in answers if isinstance(each, Exception)]
    assert refused == [Conversation.DoesNotExist, Blocked, Invalid]
    assert positions([each.message for each in answers if isinstance(each, SendResult)]) == [2, 3]


async def test_in_a_batch_a_senders_watermarks_stop_before_messages_of_others(
    conversation: Conversation, alice: User, bob: User
) -> None:
    await gather(speak(alice, conversation), speak(bob, conversation), speak(alice, conversation))
    places = [await sync_to_async(place)(user, conversation) for user in (alice, bob)]
    assert [(it.delivered_through, it.read_through) for it in places] == [(1, 1), (0, 0)]


async def test_a_message_is_stored_although_its_sender_stops_waiting(
    conversation: Conversation, alice: User, bob: User
) -> None:
    waiting = asyncio.ensure_future(commit(await sync_to_async(draft)(alice, conversation), group_commit()))
    await asyncio.sleep(0)
    waiting.cancel()
    assert (await speak(bob, conversation)).message["position"] == 2


# Others hold what is needed


async def test_a_locked_conversation_delays_only_its_own_messages_and_keeps_their_order(
    group: Conversation, conversation: Conversation, alice: User
) -> None:
    with another_connection() as holding:
        hold(group, holding)
        waiting = [speak(alice, group, str(n)) for n in range(3)]
        await blocked()
        async with asyncio.timeout(20):
            for _ in range(3):
                await speak(alice, conversation)
        waiting.append(speak(alice, group, "3"))
        await speak(alice, conversation)
        await asyncio.sleep(0.1)
        assert not any(each.done() for each in waiting)
    said = [each.message for each in await gather(*waiting)]
    assert positions(said) == [2, 3, 4, 5]
    assert texts(said) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("seconds", [0, 0.5], ids=["in the group commit", "as a blocked conversation"])
async def test_a_member_removed_while_a_batch_waits_is_refused_alone(
    seconds: float, group: Conversation, alice: User, bob: User
) -> None:
    with another_connection() as admin:
        remove(bob, group, on=admin)
        late, fine = speak(bob, group), speak(alice, group)
        await blocked()
        await asyncio.sleep(seconds)
        admin.commit()
    with pytest.raises(Conversation.DoesNotExist):
        await late
    assert (await fine).message["position"] == group.version + 2
    assert [message.sender for message in await stored(group)] == [alice]


# Connections are lost


TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND query LIKE '%WITH i AS MATERIALIZED%' AND pid <> pg_backend_pid()"
)


async def test_a_killed_connection_neither_loses_nor_doubles_messages(conversation: Conversation, alice: User) -> None:
    with another_connection() as holding:
        hold(conversation, holding)
        sending = [speak(alice, conversation, str(n)) for n in range(20)]
        await blocked()
        await sql(TERMINATE)
    said = [each.message for each in await gather(*sending)]
    assert positions(said) == [*range(1, 21)]
    assert [str(message.pk) for message in await stored(conversation)] == [it["id"] for it in said]


async def test_connections_killed_again_and_again_neither_lose_nor_double_messages(
    conversation: Conversation, alice: User, bob: User
) -> None:
    async def talk(by: User) -> list[SendResult]:
        return [await speak(by, conversation, str(n)) for n in range(60)]

    async def kill() -> None:
        while True:
            await sql(TERMINATE)
            await asyncio.sleep(0.05)

    killing = ensure_future(kill())
    answers = await gather(*(talk(by) for by in (alice, bob) * 4))
    killing.cancel()
    assert sorted(said.message["position"] for each in answers for said in each) == [*range(1, 481)]
    assert all(texts([said.message for said in each]) == [str(n) for n in range(60)] for each in answers)
    assert [message.position for message in await stored(conversation)] == [*range(1, 481)]


async def test_a_commit_whose_answer_is_lost_is_acknowledged_and_published_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conversation: Conversation, alice: User
) -> None:
    async with wire_to_database(tmp_path, monkeypatch) as wire:
        await speak(alice, conversation)
        wire.lose_next_answer()
        answers = await gather(*(speak(alice, conversation) for _ in range(10)))
        await group_commit().drain()
    assert wire.has_lost
    assert positions([said.message for said in answers]) == [*range(2, 12)]
    assert not any(said.repeated for said in answers)
    assert len(await stored(conversation)) == 11


async def test_a_missing_partition_is_made_at_once(
    caplog: pytest.LogCaptureFixture, conversation: Conversation, alice: User
) -> None:
    week = name_of(monday(timezone.now()))
    await sql(f"DROP TABLE {week}")
    assert (await speak(alice, conversation)).message["position"] == 1
    assert week in await sync_to_async(partitions)()
    assert "CRITICAL" in {record.levelname for record in caplog.records}
