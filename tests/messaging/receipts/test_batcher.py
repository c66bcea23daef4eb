"""The batcher: watermarks of many sockets, stored by one statement, and kept while the database is away."""

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation
from messaging.receipts import batcher
from messaging.receipts.batcher import WatermarkBatcher, watermark_batcher
from messaging.retention.partitions import monday, name_of, partitions
from tests.messaging import helpers
from tests.messaging.wire import wire_to_database
from tests.support.together import another_connection

pytestmark = pytest.mark.usefixtures("live")
place, fill = map(sync_to_async, (helpers.place, helpers.fill))


@sync_to_async
def sql(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


async def until_delivered(user: User, conversation: Conversation, through: int, *, within: float = 20) -> None:
    deadline = time.monotonic() + within
    while (reached := (await place(user, conversation)).delivered_through) != through:
        assert time.monotonic() < deadline, reached
        await asyncio.sleep(0.01)


async def test_the_furthest_watermarks_of_everybody_are_stored_in_one_commit(
    conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, bob, 9)
    for through in (3, 9, 5):
        watermark_batcher().add(conversation.pk, alice.pk, delivered=through)
    watermark_batcher().add(conversation.pk, alice.pk, read=4)
    await fill(conversation, alice, 2)
    watermark_batcher().add(conversation.pk, bob.pk, read=11)
    await until_delivered(alice, conversation, 9)
    assert (await place(alice, conversation)).read_through == 4
    stored = "SELECT count(*), count(DISTINCT xmin::text) FROM messaging_messagestatus"
    assert await sql(stored) == [(4, 1)]


async def test_a_locked_participant_is_retried_soon_and_delays_nobody(
    conversation: Conversation, group: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, bob, 1)
    await fill(group, bob, 1)
    with another_connection() as holding:
        holding.execute("SELECT 1 FROM conversations_participant WHERE conversation_id = %s FOR UPDATE", [group.pk])
        watermark_batcher().add(group.pk, alice.pk, delivered=99)
        watermark_batcher().add(conversation.pk, alice.pk, delivered=99)
        await until_delivered(alice, conversation, 1)
        assert (await place(alice, group)).delivered_through == 1
    await until_delivered(alice, group, 2)


async def test_the_watermark_of_a_stranger_is_dropped(
    conversation: Conversation, alice: User, mallory: User, bob: User
) -> None:
    await fill(conversation, bob, 1)
    watermark_batcher().add(conversation.pk, mallory.pk, delivered=1)
    watermark_batcher().add(conversation.pk, alice.pk, delivered=1)
    await until_delivered(alice, conversation, 1)
    await watermark_batcher().drain()
    assert await sql("SELECT count(*) FROM messaging_messagestatus") == [(1,)]


async def test_watermarks_are_kept_while_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, bob, 3)
    monkeypatch.setattr(batcher, "PAUSE", 0.1)
    with monkeypatch.context() as away:
        away.setitem(connection.settings_dict, "HOST", str(tmp_path))
        watermark_batcher().add(conversation.pk, alice.pk, delivered=2)
        await asyncio.sleep(0.6)
        watermark_batcher().add(conversation.pk, alice.pk, delivered=1)
    await until_delivered(alice, conversation, 2)


async def test_a_commit_whose_answer_is_lost_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, bob, 3)
    async with wire_to_database(tmp_path, monkeypatch) as wire:
        watermark_batcher().add(conversation.pk, alice.pk, delivered=1)
        await watermark_batcher().drain()
        wire.lose_next_answer()
        watermark_batcher().add(conversation.pk, alice.pk, delivered=2)
        await watermark_batcher().drain()
        watermark_batcher().add(conversation.pk, alice.pk, delivered=3)
        await watermark_batcher().drain()
    assert wire.has_lost
    assert (await place(alice, conversation)).delivered_through == 3
    runs = "SELECT after, through FROM messaging_messagestatus ORDER BY through"
    assert await sql(runs) == [(0, 1), (1, 2), (2, 3)]


async def test_a_missing_partition_is_made_at_once(
    monkeypatch: pytest.MonkeyPatch, conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, bob, 1)
    monkeypatch.setattr(batcher, "PAUSE", 0.1)
    week = name_of(monday(timezone.now()), "messaging_messagestatus")
    await sql(f"DROP TABLE {week}")
    watermark_batcher().add(conversation.pk, alice.pk, delivered=1)
    await until_delivered(alice, conversation, 1)
    assert week in await sync_to_async(partitions)()


async def test_only_so_many_watermarks_are_kept(
    monkeypatch: pytest.MonkeyPatch, conversation: Conversation, alice: User, bob: User
) -> None:
    await fill(conversation, bob, 1)
    monkeypatch.setattr(batcher, "MAX_PENDING", 2)
    watermark_batcher().add(conversation.pk, alice.pk, delivered=1)
    for _ in range(10):
        watermark_batcher().add(uuid4(), alice.pk, delivered=1)
    await until_delivered(alice, conversation, 1)


async def test_adding_a_watermark_takes_a_few_microseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [(uuid4(), uuid4()) for _ in range(200)]
    all_in_one = WatermarkBatcher()
    monkeypatch.setattr(batcher, "GATHERING", 60)
    began = time.process_time()
    for n in range(100):
        for conversation_id, user_id in places:
            all_in_one.add(conversation_id, user_id, delivered=n)
    assert (time.process_time() - began) / 20_000 < 20e-6
