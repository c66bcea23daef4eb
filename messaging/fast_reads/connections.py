"""A few connections of their own for fast reads; each prepares its statements once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.one_per_loop import OnePerLoop

CONNECTIONS = 3
WAIT_SECONDS = 1.0
"""Seconds to wait for one that is free; after that the database is slow, or does not answer."""


class ReadConnections:
    """The connections of one event loop; who wants one waits a moment for the next that is free."""

    def __init__(self) -> None:
        self._free: asyncio.LifoQueue[DedicatedConnection] = asyncio.LifoQueue()
        self._all = [DedicatedConnection() for _ in range(CONNECTIONS)]
        for each in self._all:
            self._free.put_nowait(each)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[DedicatedConnection]:
        """Use one of them; it is closed if what was run on it failed. Raises TimeoutError if none is free for long."""
        async with asyncio.timeout(WAIT_SECONDS):
            connection = await self._free.get()
        try:
            yield connection
        except BaseException:
            await connection.close()
            raise
        finally:
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """Close all of them."""
        for each in self._all:
            await each.close()


read_connections = OnePerLoop(ReadConnections)
"""The connections of the running event loop."""
