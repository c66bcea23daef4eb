"""A device that does not read: it is told so and cut off, and delays nobody."""

import asyncio
import json
import socket as sockets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self
from urllib.parse import urlsplit

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.server.websocket import CLOSE_TIMEOUT, SEND_BUFFER
from conversations.models import Conversation
from messaging.socket.send_queue import QUEUE_BYTES
from tests.support.client import Client
from tests.support.server import Server

App = Callable[[User], Awaitable[Client]]
LONG = "x" * 16_000
ENOUGH = 2 * (QUEUE_BYTES + 2 * SEND_BUFFER) // len(LONG)
"""Messages that fill the queue, the connection's buffers and the kernel's."""


class Stalled:
    """A bare connection that reads only when it is told to, and keeps its own buffer small."""

    def __init__(self, url: str, token: str, *, query: str = "") -> None:
        self._query = query
        self._where = (urlsplit(url).hostname, urlsplit(url).port)
        self._token = token

    async def __aenter__(self) -> Self:
        raw = sockets.socket()
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        await asyncio.to_thread(raw.connect, self._where)
        raw.setblocking(False)
        self.raw = raw
        lines = [f"GET /ws/chat{self._query} HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(raw, "\r\n".join([*lines, f"Authorization: Bearer {self._token}", "", ""]).encode())
        self.heard = b""
        await self.hears(b'"connected"')
        return self

    async def __aexit__(self, *_: object) -> None:
        self.raw.close()

    async def hears(self, text: bytes) -> None:
        """Read until this has come, and no further."""
        while text not in self.heard:
            self.heard += await asyncio.get_running_loop().sock_recv(self.raw, 4096)

    def hang_up(self) -> None:
        """End the connection as a network does that is gone."""
        self.raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        self.raw.close()

    async def read_on(self) -> bool:
        """Read whatever there is until the end; tell whether the connection was cut."""
        loop = asyncio.get_running_loop()
        try:
            while some := await loop.sock_recv(self.raw, 65536):
                self.heard += some
        except ConnectionResetError:
            return True
        return False


@pytest.fixture
async def stalled(server: Server, access: Callable[[User], str], carol: User) -> AsyncIterator[Stalled]:
    """Carol's device, which does not read."""
    async with Stalled(server.url, await sync_to_async(access)(carol)) as device:
        yield device


async def flood(app: App, alice: User, bob: User, group: Conversation) -> float:
    """Have alice say more than fits anywhere, and give the longest that bob waited for what he was sent."""
    longest, loop = 0.0, asyncio.get_running_loop()
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        for _ in range(ENOUGH):
            began = loop.time()
            await speaker.say(str(group.pk), LONG)
            await screen.next("message.created")
            longest = max(longest, loop.time() - began)
    return longest


@pytest.mark.long
async def test_who_does_not_read_is_cut_off_and_delays_nobody(
    app: App, stalled: Stalled, alice: User, bob: User, group: Conversation
) -> None:
    assert await flood(app, alice, bob, group) < 2
    await asyncio.sleep(CLOSE_TIMEOUT + 1)
    assert await stalled.read_on(), "the connection is still there"


@pytest.mark.long
async def test_who_reads_again_in_time_hears_why_it_was_closed(
    app: App, stalled: Stalled, alice: User, bob: User, group: Conversation
) -> None:
    await flood(app, alice, bob, group)
    await stalled.read_on()
    why, _, close = stalled.heard[-200:].rpartition(b"\x88\x02")
    assert int.from_bytes(close, "big") == 4000
    assert json.loads(why[why.index(b"{") :])["data"]["code"] == "too_slow"
