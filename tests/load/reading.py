"""Pages of a conversation by REST: how many a second, and how long each takes."""

import asyncio
import time
from array import array
from collections.abc import Sequence
from statistics import median

from tests.load.processes import Web
from tests.load.rounds import percentile
from tests.load.scenarios import Figures, write_alone
from tests.load.world import Seats, Sizes

MESSAGES = 120
CLIENTS = 16
HANDED_ON = "Cookie: x=1\r\n"
"""With a cookie a page is read by the view set, as all were before."""


class Reader:
    """A client that keeps its connection and asks for one page after another."""

    def __init__(self, port: int, seats: Seats, more: str = "") -> None:
        self._port = port
        path, token = f"/api/v1/messages/conversation/{seats.conversation_id}", seats.tokens[1]
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        self._request = head.encode()
        self.latencies = array("d")

    async def read(self, *, until: float) -> None:
        """Ask until a moment of the monotonic clock."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while (began := time.monotonic()) < until:
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            self.latencies.append(time.monotonic() - began)
        writer.close()


async def reading(server: Web, seats: Seats, sizes: Sizes) -> Figures:
    """Read the newest page again and again: one client, many, and many by the view set."""
    await write_alone(server, seats, MESSAGES)
    figures: Figures = {}
    for name, clients, more in (("alone", 1, ""), ("many", CLIENTS, ""), ("view_set", CLIENTS, HANDED_ON)):
        await _round(server, [Reader(server.port, seats, more)], seconds=0.5)
        rounds = [
            await _round(server, [Reader(server.port, seats, more) for _ in range(clients)], seconds=sizes.seconds)
            for _ in range(sizes.rounds)
        ]
        figures |= {f"{name}_{figure}": median(each[figure] for each in rounds) for figure in rounds[0]}
    return figures


async def _round(server: Web, readers: Sequence[Reader], *, seconds: float) -> Figures:
    before, began = server.cpu_seconds(), time.monotonic()
    await asyncio.gather(*(reader.read(until=began + seconds) for reader in readers))
    spent, took = server.cpu_seconds() - before, time.monotonic() - began
    latencies = sorted(each for reader in readers for each in reader.latencies)
    return {
        "rate": len(latencies) / took,
        "p50": percentile(latencies, 0.5) * 1e3,
        "p99": percentile(latencies, 0.99) * 1e3,
        "server_us": spent / len(latencies) * 1e6,
    }
