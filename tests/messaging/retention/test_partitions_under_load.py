"""A partition is dropped while people chat and a long dump runs, and neither is disturbed."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.core.database import connection_parameters
from conversations.models import Conversation
from messaging.models import Message
from messaging.retention.partitions import PARENTS, drop_old_partitions, make_partitions, name_of, partitions
from tests.messaging.helpers import send_by_socket
from tests.messaging.weeks import SOME_MONDAY, dumping, fill_old_week

pytestmark = pytest.mark.usefixtures("live")

ROWS = 50_000
SPEAKERS = 16
PAUSE = 0.02
MUCH_TOO_SLOW = 0.5


class Talk:
    """What was said while the block lasted, and how long each acknowledgement took."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.seconds: list[float] = []
        self.is_over = False

    async def go_on(self, by: User, conversation: Conversation) -> None:
        while not self.is_over:
            began = time.perf_counter()
            said = await send_by_socket(by_id=by.pk, conversation_id=conversation.pk, text="Hi")
            self.seconds.append(time.perf_counter() - began)
            self.said.append(said.message["id"])
            await asyncio.sleep(PAUSE)

    def milliseconds(self, *, since: int = 0, until: int | None = None) -> str:
        """Tell how long acknowledgements took, those from one to another of them."""
        taken = [1000 * seconds for seconds in self.seconds[since:until]]
        return f"p50 {statistics.median(taken):.1f}, p99 {percentile(99, taken):.1f}, longest {max(taken):.1f} ms"


def percentile(n: int, taken: list[float]) -> float:
    return statistics.quantiles(taken, n=100)[n - 1]


@asynccontextmanager
async def talking(*people: User, conversation: Conversation) -> AsyncIterator[Talk]:
    """Let people talk without end, each waiting for the acknowledgement before going on."""
    talk = Talk()
    speakers = [asyncio.ensure_future(talk.go_on(people[n % len(people)], conversation)) for n in range(SPEAKERS)]
    await asyncio.sleep(1.5)
    try:
        yield talk
    finally:
        await asyncio.sleep(0.3)
        talk.is_over = True
        await asyncio.gather(*speakers)


@asynccontextmanager
async def a_long_dump() -> AsyncIterator["psycopg.Connection[Any]"]:
    with await asyncio.to_thread(psycopg.connect, **connection_parameters()) as dump:
        await sync_to_async(dumping)(dump)
        yield dump


@pytest.mark.long
async def test_a_partition_is_dropped_while_people_chat_and_a_dump_runs(
    alice: User, bob: User, conversation: Conversation, capsys: pytest.CaptureFixture[str]
) -> None:
    await sync_to_async(make_partitions)(now=SOME_MONDAY, behind=0, ahead=0)
    await sync_to_async(fill_old_week)(conversation, ROWS)
    old, *others = sorted(name_of(SOME_MONDAY, parent) for parent in PARENTS)
    async with talking(alice, bob, conversation=conversation) as talk:
        before = len(talk.said)
        async with a_long_dump() as dump:
            assert await asyncio.to_thread(drop_old_partitions) == []
            counted = await asyncio.to_thread(dump.execute, "SELECT count(body) FROM messaging_message_2024w05")
            assert counted.fetchone() == (ROWS,)
        assert await asyncio.to_thread(drop_old_partitions) == [old, *others]
    with capsys.disabled():
        print(f"\n  appends before:          {talk.milliseconds(until=before)} ({before})")
        print(f"  around a dump and drop:  {talk.milliseconds(since=before)} ({len(talk.said) - before}) ", end="")
    assert old not in await sync_to_async(partitions)()
    assert await Message.objects.filter(pk__in=talk.said).acount() == len(talk.said) == await Message.objects.acount()
    assert percentile(99, talk.seconds) < MUCH_TOO_SLOW
