"""A WebSocket client with as little work a frame as will do: client, server and engines share the machine."""

import asyncio
import base64
import os
from typing import Self, cast

from tests.load.frames import CLOSE, PING, PONG, TEXT, decode, encode

CONNECTED = (b'{"type":"connected"', b'{"type": "connected"')
HEAD_END = b"\r\n\r\n"


class Socket(asyncio.Protocol):
    """One device. Whoever inherits from it says what to do with a text frame, and after each read."""

    def __init__(self, token: str, *, query: str = "") -> None:
        self._token = token
        self._query = query
        self._key = os.urandom(4)
        self._rest = b""
        self._is_open = self.is_leaving = False
        self._take = self._greet
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, port: int) -> Self:
        """Sign in; return when the server says that this socket hears everything."""
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        await self.connected
        return self

    async def close(self) -> None:
        """Say goodbye, and wait for the answer."""
        self.is_leaving = True
        if self._is_open and not self.closed.done():
            self._transport.write(encode(b"\x03\xe8", key=self._key, opcode=CLOSE))
            await asyncio.wait([self.closed], timeout=2)
            self._transport.abort()

    def say(self, payload: bytes) -> None:
        """Send a text frame, unless the server has gone."""
        if self.closed.done():
            return
        self._transport.write(encode(payload, key=self._key))

    def hear(self, payload: bytes) -> None:
        """Take a text frame."""

    def heard(self) -> None:
        """Everything of one read has been heard."""

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's, though they do the same.
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /ws/chat{self._query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {self._token}\r\n"
            "\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        start = 0 if self._is_open else self._shake_hands(data)
        while self._is_open and (frame := decode(data, start)):
            start = frame.end
            if frame.opcode == TEXT:
                self._take(frame.payload)
            else:
                self._answer(frame.opcode, frame.payload)
        self._rest = data[start:]
        self.heard()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set_result(None)
        if not self.connected.done():
            self.connected.set_exception(error or ConnectionError("the server closed the socket"))

    def _shake_hands(self, data: bytes) -> int:
        """Read the answer to the handshake; give where the frames begin."""
        end = data.find(HEAD_END)
        if end < 0:
            return 0
        if not data.startswith(b"HTTP/1.1 101 "):
            self._fail(ConnectionError(data.partition(b"\r\n")[0].decode(errors="replace")))
            return len(data)
        self._is_open = True
        return end + len(HEAD_END)

    def _greet(self, payload: bytes) -> None:
        if payload.startswith(CONNECTED):
            self._take = self.hear
            self.connected.set_result(None)
        else:
            self._fail(ConnectionError(payload.decode()))

    def _answer(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._transport.write(encode(payload, key=self._key, opcode=PONG))
        elif opcode == CLOSE:
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if not self.connected.done():
            self.connected.set_exception(error)
        self._transport.abort()
