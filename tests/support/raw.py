"""An HTTP connection by hand: what is written on it is what was asked for, a request or half of one."""

import asyncio
from typing import NamedTuple, Self
from urllib.parse import urlsplit

PATIENCE = 30.0


class Answer(NamedTuple):
    """What a server answered: the head as it came, and the body."""

    status: int
    head: bytes
    body: bytes


class Raw:
    """One connection to a server."""

    def __init__(self, url: str) -> None:
        self._where = (urlsplit(url).hostname, urlsplit(url).port)

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(*self._where)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def send(self, *parts: bytes) -> None:
        """Write until the system has taken it; ConnectionError where nobody is there any more."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self) -> Answer:
        """Read one answer with a Content-Length."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            if status == 100:
                return Answer(status, head, b"")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            return Answer(status, head, await self.reader.readexactly(int(length.partition(b":")[2])))

    async def is_closed(self) -> bool:
        """Wait for the end of the connection; tell whether nothing came before it."""
        async with asyncio.timeout(PATIENCE):
            try:
                return not await self.reader.read()
            except ConnectionError:
                return True


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()
