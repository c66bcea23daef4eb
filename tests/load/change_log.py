"""What the change log costs who appends, with and without it in turns, and how its follower keeps up."""

import asyncio
import os
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg
from django.db import connection

from chatproject.embedded.application import manage_command
from chatproject.embedded.data_folder import PROJECT
from conversations.change_log.follower import Step, step
from messaging.moderation.message_counts import MessageCounts
from tests.load.processes import Web
from tests.load.rounds import Hall, Round, gathered
from tests.load.scenarios import Figures, came_of
from tests.load.talk import Delivered
from tests.load.world import Seats, Sizes

RATE = 3000.0
TURNS = 4
"""How often each of both is measured; they take turns, since the machine is never the same for long."""
WINDOW = 16
BACKLOG_SECONDS = 5.0
CALM_RATE = 20.0
STARTING_SECONDS = 4.0
"""How long a process takes to start to follow."""

SWITCH = "ALTER TABLE conversations_conversation {} TRIGGER log_update"
BEHIND = """
SELECT (SELECT count(*) FROM messaging_message) - (SELECT COALESCE(sum(messages), 0) FROM messaging_messagecount)
"""
# The oldest change that is not handled, found by an index: to look costs next to nothing.
DELAY = """
SELECT COALESCE((
    SELECT extract(epoch FROM clock_timestamp() - e.at) FROM conversations_changelogentry e
    WHERE e.xid >= (SELECT pg_snapshot_xmax(mark::pg_snapshot) FROM conversations_followermark)
    ORDER BY e.xid LIMIT 1
), 0)
"""
LOOK_EVERY = 0.01


class Database:
    """The database, to switch the log off and to see how far the follower is."""

    def __init__(self, connection: "psycopg.AsyncConnection[tuple[float]]") -> None:
        self._connection = connection

    async def switch(self, *, on: bool) -> None:
        await self._connection.execute(SWITCH.format("ENABLE" if on else "DISABLE"))

    async def until_counted(self, *, all_but: float) -> None:
        while await self.read(BEHIND) > all_but:  # noqa: ASYNC110 (the database tells no event)
            await asyncio.sleep(0.01)

    async def read(self, sql: str) -> float:
        found = await (await self._connection.execute(sql)).fetchone()
        return float(found[0]) if found else 0.0


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        yield Database(connection)


@contextmanager
def following() -> Iterator[psutil.Process]:
    """A process that follows for as long as the block lasts."""
    process = psutil.Popen(manage_command("follow"), cwd=PROJECT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


async def change_log(server: Web, conversations: Sequence[Seats], sizes: Sizes) -> Figures:
    """Measure both, then the follower."""
    async with gathered(conversations, server, writers=1, delivered=Delivered()) as hall, database() as store:
        costs = await _costs(hall, store, server, sizes)
        followed = await _followed(hall, store, sizes)
        return {**costs, **followed, **came_of(hall.load)}


async def _costs(hall: Hall, store: Database, server: Web, sizes: Sizes) -> Figures:
    """Measure at a steady rate and at full load, without the log and with it in turns; ratios are those of medians."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(TURNS * sizes.rounds):
        for name in ("without", "with"):
            await store.switch(on=name == "with")
            before = _append_times(server)
            steady = await hall.open(rate=RATE, seconds=sizes.seconds)
            seconds, count = (now - then for now, then in zip(_append_times(server), before, strict=True))
            full = await hall.closed(window=WINDOW, seconds=sizes.seconds)
            for figure, value in {
                "append_ms": seconds / count * 1e3,
                "p99_ms": steady.p99,
                "server_us": steady.server_us,
                "full_server_us": full.server_us,
                "full_rate": full.rate,
            }.items():
                found[f"{figure}_{name}"].append(value)
    middle = {name: median(values) for name, values in found.items()}
    ratios = {name: middle[f"{name}_with"] / middle[f"{name}_without"] for name in ("append_ms", "p99_ms", "server_us")}
    ratios |= {name: middle[f"{name}_with"] / middle[f"{name}_without"] for name in ("full_server_us", "full_rate")}
    return {**middle, **{f"{name}_ratio": value for name, value in ratios.items()}}


def _append_times(server: Web) -> tuple[float, float]:
    """Read how long all appends of the process took, in seconds, and how many they were."""
    with urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        text = answer.read().decode()
    known = dict(re.findall(r"^parley_append_seconds_(sum|count) (\S+)$", text, re.MULTILINE))
    return float(known["sum"]), float(known["count"])


async def _followed(hall: Hall, store: Database, sizes: Sizes) -> Figures:
    """Let it work off a backlog, follow at full load, and at rest."""
    with following():
        await store.until_counted(all_but=0)
    await hall.closed(window=WINDOW, seconds=BACKLOG_SECONDS)
    backlog, began = await store.read(BEHIND), time.monotonic()
    await asyncio.to_thread(_work_off)
    backlog_rate = backlog / (time.monotonic() - began)
    with following() as process:
        await asyncio.sleep(STARTING_SECONDS)
        before = process.cpu_times()
        full, at_full_load = await _with_delays(store, hall.closed(window=WINDOW, seconds=3 * sizes.seconds))
        spent = sum(process.cpu_times()[:2]) - sum(before[:2])
        await store.until_counted(all_but=0)
        _, at_rest = await _with_delays(store, hall.open(rate=CALM_RATE, seconds=5 * sizes.seconds))
    return {
        "backlog_rate": backlog_rate,
        "followed_rate": full.rate,
        "followed_us": spent / (full.rate * 3 * sizes.seconds) * 1e6,
        "followed_delay_ms": median(at_full_load) * 1e3,
        "rest_delay_ms": median(at_rest) * 1e3,
        "rest_delay_most_ms": max(at_rest) * 1e3,
    }


def _work_off() -> None:
    """Take all steps of the follower that counts."""
    while step(MessageCounts()) is Step.MORE:
        pass
    connection.close()


async def _with_delays(store: Database, talk: Coroutine[Any, Any, Round]) -> tuple[Round, list[float]]:
    """Let people talk, and watch how old a change gets until the follower has handled it, in seconds."""
    task, delays, last = asyncio.ensure_future(talk), [0.0], 0.0
    while not task.done():
        now = await store.read(DELAY)
        if now < last:
            delays.append(last)
        last = now
        await asyncio.sleep(LOOK_EVERY)
    return await task, delays[1:] or delays
