"""What the change log costs who appends, with and without it in turns, and how its follower keeps up."""

import asyncio
import os
import re
import subprocess
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from statistics import median
from typing import Any
from urllib.request import urlopen

import psycopg

from chatproject.embedded.application import manage_command
from chatproject.embedded.data_folder import PROJECT
from tests.load.processes import Web
from tests.load.rounds import Hall, Round, gathered
from tests.load.scenarios import Figures, came_of
from tests.load.talk import Delivered, until
from tests.load.world import Seats, Sizes

RATE = 3000.0
TURNS = 4
"""How often each of both is measured; they take turns, since the machine is never the same for long."""
WINDOW = 16
BACKLOG_SECONDS = 5.0
CALM_RATE = 20.0

SWITCH = "ALTER TABLE conversations_conversation {} TRIGGER log_update"
BEHIND = """
SELECT (SELECT count(*) FROM messaging_message) - (SELECT COALESCE(sum(messages), 0) FROM messaging_messagecount)
"""
DELAY = """
SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - e.at)), 0)
FROM conversations_changelogentry e JOIN conversations_followermark f ON e.xid >= pg_snapshot_xmax(f.mark::pg_snapshot)
"""


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
def following() -> Iterator[None]:
    """A process that follows for as long as the block lasts."""
    process = subprocess.Popen(manage_command("follow"), cwd=PROJECT)
    try:
        yield
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
    backlog = await store.read(BEHIND)
    with following():
        # The process has to start first.
        await store.until_counted(all_but=backlog - 1)
        began, left = time.monotonic(), await store.read(BEHIND)
        await store.until_counted(all_but=0)
        backlog_rate = left / (time.monotonic() - began)
        full, at_full_load = await _with_delays(store, hall.closed(window=WINDOW, seconds=3 * sizes.seconds))
        await until(lambda: not hall.load.out, within=5)
        _, at_rest = await _with_delays(store, hall.open(rate=CALM_RATE, seconds=5 * sizes.seconds))
        return {
            "backlog_rate": backlog_rate,
            "followed_rate": full.rate,
            "followed_delay_ms": median(at_full_load) * 1e3,
            "rest_delay_ms": median(at_rest) * 1e3,
            "rest_delay_most_ms": max(at_rest) * 1e3,
        }


async def _with_delays(store: Database, talk: Coroutine[Any, Any, Round]) -> tuple[Round, list[float]]:
    """Let people talk, and watch how old a change gets until the follower has handled it, in seconds."""
    task, delays, last = asyncio.ensure_future(talk), [0.0], 0.0
    while not task.done():
        now = await store.read(DELAY)
        if now < last:
            delays.append(last)
        last = now
        await asyncio.sleep(0.004)
    return await task, delays[1:] or delays
