"""Wires between a web process and its engines. They carry bytes; their kinds know how to do harm on the way."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

CHUNK = 65536


class Link:
    """One connection through a wire: from the web process up to the engine, and back down."""

    def __init__(self, wire: "Wire") -> None:
        self.wire = wire

    async def upward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what the web process says, until one side ends."""
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()

    async def downward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry what the engine answers, until one side ends."""
        await Link.upward(self, reader, writer)


class Wire:
    """Listens on one unix socket and carries every connection to another one."""

    link: ClassVar[type[Link]] = Link

    def __init__(self, *, at: Path, to: Path) -> None:
        self.at = at
        self.to = to
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen; nothing need be at the other end yet."""
        self._listening = await asyncio.start_unix_server(self._begin, self.at)

    async def close(self) -> None:
        """Listen no more, and cut what is still connected."""
        self._listening.close()
        for each in self._carrying:
            each.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        await self._listening.wait_closed()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upper_reader, upper_writer = await asyncio.open_unix_connection(self.to)
        except OSError:
            await _end(writer)
            return
        except asyncio.CancelledError:
            writer.close()
            raise
        link = self.link(self)
        both = [
            asyncio.ensure_future(link.upward(reader, upper_writer)),
            asyncio.ensure_future(link.downward(upper_reader, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            writer.close()
            upper_writer.close()
            await asyncio.gather(*both, return_exceptions=True)
            await _end(writer)
            await _end(upper_writer)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
