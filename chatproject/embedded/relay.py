"""`python -m chatproject.embedded.relay HOST PORT TARGET`: lets other machines reach the storage.

That one has parts that ask nobody for a name, so it listens on this machine alone. What is passed on here is its S3
port, which takes nothing and gives nothing without a signature. Bytes go to and fro as they are.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import closing, suppress
from typing import Any

PIECE = 64 * 1024


async def relay(host: str, port: int, target: int) -> None:
    """Pass on connections to a port of this machine, until a signal comes."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", target)
            with closing(back):
                await _first_to_end(_pass_on(reader, back), _pass_on(there, writer))

    server = await asyncio.start_server(serve, host, port)
    with closing(server):
        await end.wait()


async def _first_to_end(*ways: Coroutine[Any, Any, None]) -> None:
    """Run both ways of a connection until one of them ends."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(PIECE):
            writer.write(data)
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
