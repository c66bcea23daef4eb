"""WebSockets as uvicorn's sansio protocol serves them, with what a chat needs on top.

* The application writes whole text frames straight to the connection (`Line`): no coroutine, no event for each frame.
* A connection that takes nothing more can be closed: the close frame goes behind what is stuck, and if that does not
  help within `PATIENCE` seconds it is cut. ASGI's `send` would wait for the very buffer that is full.
* When the server stops, the application hears of it at some moment of `DRAIN_SECONDS` and closes by itself.

It rests on names of uvicorn that are not promised; uvicorn is pinned, and tests/chatproject/test_sockets.py holds them.
"""

import random
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "parley.line"
PATIENCE = 5.0
"""Seconds that a connection has to take its close frame before it is cut."""
SEND_BUFFER = 256 * 1024
"""Bytes that the system keeps for a connection that does not take them at once."""


class Line(Protocol):
    """The way out to one device, one text frame at a time."""

    on_free: Callable[[], None]
    on_restart: Callable[[], None]
    """Called when the server is about to stop."""

    @property
    def is_free(self) -> bool:
        """Whether a frame is taken at once. `on_free` is called when it is so again."""

    def write(self, text: bytes) -> None:
        """Send one text frame; nothing happens where the other side has gone."""

    def close(self, code: int) -> None:
        """Close behind what was written, and end the connection soon whether that is taken or not."""


def ignore() -> None:
    """What a line tells before anyone asks."""


class ChatSocket(WebSocketsSansIOProtocol):
    """One connection; the application finds it as a `Line` in `scope["extensions"]`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_free = True
        self.on_free: Callable[[], None] = ignore
        self.on_restart: Callable[[], None] = ignore

    # The line

    def write(self, text: bytes) -> None:
        if not (self.close_sent or self.disconnected):
            self.transport.write(framed(text))

    def close(self, code: int) -> None:
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            # The answer of the other side has to be read.
            self.read_paused = False
            self.transport.resume_reading()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.close_timer = self.loop.call_later(PATIENCE, self._cut)

    def _cut(self) -> None:
        """End the connection at once; the system forgets what is stuck in it, which it would keep for ever."""
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _socket(self) -> socket.socket:
        found: socket.socket = self.transport.get_extra_info("socket")
        return found

    # What uvicorn calls

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # Else the system would keep megabytes for everyone who does not read.
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def pause_writing(self) -> None:
        super().pause_writing()
        self.is_free = False

    def resume_writing(self) -> None:
        super().resume_writing()
        self.is_free = True
        self.on_free()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # Whoever does not answer takes nothing either.
        self._cut()

    def shutdown(self) -> None:
        if self.close_sent or self.on_restart is ignore:
            super().shutdown()
        else:
            self.loop.call_later(random.uniform(0, settings.DRAIN_SECONDS), self.on_restart)  # noqa: S311


def framed(text: bytes) -> bytes:
    """Write a text frame as it travels from a server: whole and unmasked (RFC 6455, section 5.2)."""
    length = len(text)
    if length < 126:
        return bytes((0x81, length)) + text
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text
