"""`python -m chatproject.embedded.storage_relay HOST PORT TARGET`: lets other machines reach the storage.

Parts of the storage require no authentication, so it listens on loopback only. This TCP relay forwards its S3 port
alone, which does nothing without a signature. Bytes are forwarded unchanged in both directions.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import closing, suppress
from typing import Any

CHUNK = 64 * 1024


async def relay(host: str, port: int, target: int) -> None:
    """Forward connections to a loopback port until a signal arrives."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    async def serve(client_reader: asyncio.StreamReader, client_writer: asyncio.StreamWriter) -> None:
        with closing(client_writer), suppress(OSError):
            storage_reader, storage_writer = await asyncio.open_connection("127.0.0.1", target)
            with closing(storage_writer):
                await _until_first_ends(
                    _forward(client_reader, storage_writer), _forward(storage_reader, client_writer)
                )

    server = await asyncio.start_server(serve, host, port)
    with closing(server):
        await stop.wait()


async def _until_first_ends(*directions: Coroutine[Any, Any, None]) -> None:
    """Run both directions of a connection until one of them ends."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
