"""What is measured of a system, scenario by scenario. Each gives its figures by name."""

import asyncio
import http.client
import time
from collections.abc import Sequence
from statistics import median

import orjson

from tests.load.client import Socket
from tests.load.processes import Web
from tests.load.rounds import Hall, Round, connected, gathered, hardest, steady
from tests.load.talk import CREATED, Delivered, Load, Screen, until
from tests.load.world import Seats, Sizes, System

Figures = dict[str, float]

SHARE = 0.3
"""The part of its maximum at which a server is looked at when nothing is the matter."""
GROUP_WRITERS = 4
GROUP_DELIVERED_EVERY = 0.25
WARM_SOCKETS = 100
PAGE = 100
IN_FLIGHT = 50


async def pairs(system: System, server: Web, conversations: Sequence[Seats], sizes: Sizes) -> Figures:
    """Pairs of people who talk, one of each writing; every read of the other is acknowledged."""
    delivered = Delivered() if system.hears_delivered else None
    async with gathered(conversations, server, writers=1, delivered=delivered) as hall:
        return await talk(hall, sizes, screens=1)


async def group(system: System, server: Web, seats: Seats, sizes: Sizes) -> Figures:
    """A group, of whom some write; everyone acknowledges, each at most every 250 ms."""
    delivered = Delivered(every=GROUP_DELIVERED_EVERY) if system.hears_delivered else None
    async with gathered([seats], server, writers=GROUP_WRITERS, delivered=delivered) as hall:
        return await talk(hall, sizes, screens=len(seats.tokens) - 1)


async def talk(hall: Hall, sizes: Sizes, *, screens: int) -> Figures:
    """Find out how much comes through, then how long it takes where much less is said."""
    most = await hardest(
        hall,
        windows=sizes.windows,
        search_seconds=sizes.search_seconds,
        seconds=sizes.seconds,
        rounds=sizes.rounds,
    )
    calm = await steady(hall, rate=SHARE * most.rate / screens, seconds=sizes.seconds, rounds=sizes.rounds)
    return {**_of(most, "at_most"), **_of(calm, "calm"), **came_of(hall.load)}


def came_of(load: Load) -> Figures:
    """Count what was to appear on a screen and what did."""
    return {
        "expected": load.expected,
        "delivered": load.deliveries,
        "lost": load.expected - load.deliveries,
        "doubled": load.doubled,
        "errors": len(load.errors),
    }


def _of(found: Round, name: str) -> Figures:
    """Name the figures of a round. Where nothing was due in its time, no time was measured, and none is given."""
    figures = {figure: getattr(found, figure) for figure in Round.__slots__}
    return {f"{name}_{figure}": value for figure, value in figures.items() if value or figure not in {"p50", "p99"}}


async def idle(server: Web, conversations: Sequence[Seats]) -> Figures:
    """Sockets that are open while nothing is said: how much the server grows by each."""
    tokens = [token for seats in conversations for token in seats.tokens]
    warm, rest = tokens[:WARM_SOCKETS], tokens[WARM_SOCKETS:]
    async with connected([Socket(token) for token in warm], server.port):
        before = await _at_rest(server)
        began = time.perf_counter()
        async with connected([Socket(token) for token in rest], server.port):
            seconds = time.perf_counter() - began
            grown = await _at_rest(server) - before
    return {"sockets": len(rest), "kib_each": grown / len(rest), "connects_a_second": len(rest) / seconds}


async def _at_rest(server: Web, *, within: float = 15) -> float:
    """Wait until the server's memory stays as it is, and give it."""
    deadline = time.monotonic() + within
    last, now = 0.0, server.memory_kib()
    while abs(now - last) > now / 500 and time.monotonic() < deadline:
        await asyncio.sleep(1)
        last, now = now, server.memory_kib()
    return now


async def missed(server: Web, seats: Seats, sizes: Sizes, *, by_socket: bool) -> Figures:
    """Someone who was away catches up: in pages over HTTP, and over the socket if it offers that."""
    await write_alone(server, seats, sizes.missed)
    found: dict[str, list[float]] = {"pages_ms": [], "socket_ms": []}
    for _ in range(sizes.rounds):
        found["pages_ms"].append(await asyncio.to_thread(read_pages, server.port, seats, sizes.missed))
        if by_socket:
            found["socket_ms"].append(await read_by_socket(server.port, seats, sizes.missed))
    return {name: median(times) for name, times in found.items() if times} | {"messages": sizes.missed}


async def write_alone(server: Web, seats: Seats, count: int) -> None:
    """Let the first of a pair write while the other is not there."""
    load = Load()
    screen = Screen(seats.tokens[0], seats, load, delivered=None)
    async with connected([screen], server.port):
        for _ in range(count):
            load.say(screen)
            await until(lambda: load.sent - load.acknowledged < IN_FLIGHT, within=20)
        assert await until(lambda: load.acknowledged == count, within=20), "not everything was acknowledged"


def read_pages(port: int, seats: Seats, count: int) -> float:
    """Ask page by page for what changed since the beginning; give the milliseconds it took."""
    began, after, seen = time.perf_counter(), 0, set[str]()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    has_more = True
    while has_more:
        path = f"/api/v1/conversations/{seats.conversation_id}/changes?limit={PAGE}&after={after}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {seats.tokens[1]}"})
        page = orjson.loads(connection.getresponse().read())
        seen.update(message["id"] for message in page["data"]["messages"])
        after, has_more = page["pagination"]["next"], page["pagination"]["has_more"]
    connection.close()
    assert len(seen) == count, f"{len(seen)} of {count} messages were there"
    return (time.perf_counter() - began) * 1e3


class Returning(Socket):
    """A device that asks for what it missed, over the socket."""

    def __init__(self, token: str) -> None:
        super().__init__(token, query="?catch_up=1")
        self.seen: set[bytes] = set()
        self.caught_up = asyncio.get_running_loop().create_future()

    def hear(self, payload: bytes) -> None:
        if payload.startswith(CREATED):
            self.seen.add(payload)
        elif payload.startswith(b'{"type":"caught_up"'):
            self.caught_up.set_result(None)


async def read_by_socket(port: int, seats: Seats, count: int) -> float:
    """Connect and be told what was missed; give the milliseconds it took."""
    began, device = time.perf_counter(), Returning(seats.tokens[1])
    async with connected([device], port):
        await asyncio.wait_for(device.caught_up, 20)
        took = (time.perf_counter() - began) * 1e3
    assert len(device.seen) == count, f"{len(device.seen)} of {count} messages were there"
    return took


async def connecting(server: Web, token: str, *, rounds: int) -> Figures:
    """Someone with many conversations connects: from opening TCP to hearing everything."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        async with connected([Socket(token)], server.port):
            times.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(0.5)
    return {"connected_ms": median(times), "connected_first_ms": times[0]}
