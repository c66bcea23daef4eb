"""Rounds of talk, closed and open loop, and what each of them came to."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import cycle
from statistics import median

from tests.load.client import Socket
from tests.load.clock import ticking
from tests.load.processes import Web, cpu_of_machine, cpu_of_us
from tests.load.talk import Delivered, Load, Screen
from tests.load.world import Seats

WARM_UP = 0.5
TICK = 0.00025
LEAST_MESSAGES = 10
SECONDS_AT_MOST = 10
"""A slow server is looked at for as long as some messages take, but not for ever."""
AT_ONCE = 50
GROWTH = 1.05
"""A larger window is worth a look only while the last one brought this much more."""
QUEUEING_MS = 250
"""Where half of the messages wait as long as this, more of them would only wait longer."""


@dataclass(slots=True)
class Round:
    """What happened in one round: deliveries a second, milliseconds, microseconds of the web process a delivery."""

    window: int = 0
    rate: float = 0
    p50: float = 0
    p99: float = 0
    server_us: float = 0
    client_us: float = 0
    others: float = 0
    """How many cores' worth of the machine went to processes that have nothing to do with this."""


class Hall:
    """Screens that are connected, and those of them that write."""

    def __init__(self, load: Load, screens: Sequence[Screen], writers: Sequence[Screen], server: Web) -> None:
        self.load, self.screens, self.writers, self.server = load, screens, writers, server

    async def closed(self, *, window: int, seconds: float) -> Round:
        """Let everyone keep so many messages under way for a while; each is under way until all screens show it."""
        self.load.goes_on = True
        for writer in self.writers:
            for _ in range(window):
                self.load.say(writer)
        await asyncio.gather(asyncio.sleep(WARM_UP), self._until_all_have_spoken())
        found = Round(window=window)
        with self._measured(found):
            await asyncio.gather(asyncio.sleep(seconds), self._until_all_have_spoken())
        return await self._settled(found)

    async def _until_all_have_spoken(self) -> None:
        await self.load.until_done(len(self.writers), within=SECONDS_AT_MOST)

    async def open(self, *, rate: float, seconds: float) -> Round:
        """Have so many messages said a second, whatever comes of those before; latency counts from when one is due."""
        turns, begin, said = cycle(self.writers), time.perf_counter(), 0

        def say_what_is_due() -> None:
            nonlocal said
            now = time.perf_counter()
            while (due := begin + said / rate) <= now:
                self.load.say(next(turns), since=due)
                said += 1

        found = Round()
        with ticking(TICK, say_what_is_due):
            await asyncio.sleep(WARM_UP)
            with self._measured(found):
                await asyncio.sleep(max(seconds, min(LEAST_MESSAGES / rate, SECONDS_AT_MOST)))
        return await self._settled(found)

    @contextmanager
    def _measured(self, found: Round) -> Iterator[None]:
        """Fill in what the block brought and cost."""
        deliveries, began, before = self.load.deliveries, time.perf_counter(), self._spent()
        self.load.begin()
        yield
        self.load.end()
        seconds, count = time.perf_counter() - began, max(1, self.load.deliveries - deliveries)
        server, client, ours, machine = (now - then for now, then in zip(self._spent(), before, strict=True))
        found.rate = count / seconds
        found.server_us, found.client_us = server / count * 1e6, client / count * 1e6
        found.others = max(0.0, machine - ours) / seconds

    async def _settled(self, found: Round) -> Round:
        """Wait for what is still under way, and fill in how long messages took."""
        await self.load.settle()
        latencies = sorted(self.load.latencies)
        found.p50, found.p99 = percentile(latencies, 0.50) * 1e3, percentile(latencies, 0.99) * 1e3
        return found

    def _spent(self) -> tuple[float, float, float, float]:
        return self.server.cpu_seconds(), time.process_time(), cpu_of_us(), cpu_of_machine()


@asynccontextmanager
async def gathered(
    conversations: Sequence[Seats], server: Web, *, writers: int, delivered: Delivered | None
) -> AsyncIterator[Hall]:
    """Connect everyone in some conversations; the first few of each write."""
    load = Load()
    rows = [[Screen(token, seats, load, delivered=delivered) for token in seats.tokens] for seats in conversations]
    screens = [screen for row in rows for screen in row]
    async with connected(screens, server.port):
        yield Hall(load, screens, [screen for row in rows for screen in row[:writers]], server)


@asynccontextmanager
async def connected(sockets: Sequence[Socket], port: int) -> AsyncIterator[None]:
    """Have sockets open while the block lasts."""
    try:
        for begin in range(0, len(sockets), AT_ONCE):
            await asyncio.gather(*(socket.connect(port) for socket in sockets[begin : begin + AT_ONCE]))
        yield
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))


async def hardest(hall: Hall, *, windows: Sequence[int], search_seconds: float, seconds: float, rounds: int) -> Round:
    """Find the window beyond which nothing more comes through, and give the median of some rounds with it."""
    best = Round()
    for window in windows:
        found = await hall.closed(window=window, seconds=search_seconds)
        is_worth_it = found.rate > best.rate * GROWTH and found.p50 < QUEUEING_MS
        best = max(best, found, key=lambda each: each.rate)
        if not is_worth_it:
            break
    return middle([await hall.closed(window=best.window, seconds=seconds) for _ in range(rounds)])


async def steady(hall: Hall, *, rate: float, seconds: float, rounds: int) -> Round:
    """Give the median of some rounds at a rate."""
    return middle([await hall.open(rate=rate, seconds=seconds) for _ in range(rounds)])


def middle(rounds: Sequence[Round]) -> Round:
    """The median of each figure by itself."""
    return Round(**{name: median(getattr(each, name) for each in rounds) for name in Round.__slots__})


def percentile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0
