"""WebSockets as uvicorn's sansio protocol serves them, with what a chat needs on top.

* The application writes whole text frames straight to the `Connection`: no coroutine and no event for each frame.
  Frames that come in are read at once where they are short and whole, as nearly all are.
* A connection that takes nothing more can be closed: the close frame goes behind what is stuck, and if that does not
  help within `CLOSE_TIMEOUT` seconds it is cut. ASGI's `send` would wait for the very buffer that is full.
* When the server stops, the application hears of it at some moment of `DRAIN_SECONDS` and closes by itself.

It rests on private names of uvicorn, which is pinned; tests/chatproject/server/test_websocket.py notices a change.
"""

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from typing import Any

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN
from websockets.speedups import apply_mask

from chatproject.server.close_codes import CloseCode
from chatproject.server.connection import EXTENSION, ReceiveQueue, WriteGate, flushes, framed, ignore

FINAL_TEXT = 0x81
MASKED = 0x80
TWO_BYTES_OF_LENGTH = 126
EIGHT_BYTES_OF_LENGTH = 127
HEAD_MOST = 8
"""Bytes before the text of a frame that is read here: two, two of length, four of mask."""
RECEIVED_MOST = 64
"""Frames that may wait for the application before no more are read."""
GATHERED_MOST = 64 * 1024
"""Bytes that one connection is written in one step before they are handed over."""
FRAGMENTS_MOST = 1024
"""Parts of one message; empty ones would never reach the bound on its size."""
PIECE = 8 * 1024
"""Bytes that the library reads in one step: it reads all frames of a step before any of them can be refused."""
CONTROLS_MOST = 300
CONTROL_SECONDS = 10.0
"""Seconds in which so many pings and pongs may come: other frames are counted by the application."""
CLOSING_MOST = 256 * 1024
"""Bytes that are still read of a connection that has been sent its close frame."""
CLOSE_TIMEOUT = 5.0
"""Seconds that a connection has to take its close frame before it is cut."""
SEND_BUFFER = 256 * 1024
"""Bytes that the system keeps for a connection that does not take them at once."""


class ChatSocket(WebSocketsSansIOProtocol):
    """One connection; the application finds it as a `Connection` in `scope["extensions"]`."""

    # Of the class, until a connection has one of its own: most have none.
    _controls = 0
    _controls_since = 0.0
    _closing_bytes = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.queue, self.writable = ReceiveQueue(), WriteGate()  # type: ignore[assignment]
        self._flushes = flushes()
        self._unsent = b""
        self.is_free = True
        self.on_free: Callable[[], None] = ignore
        self.on_restart: Callable[[], None] = ignore

    # Reading

    def data_received(self, data: bytes) -> None:
        """Read short, whole text frames here, and leave all others, and what is wrong, to the library."""
        if self._is_between_frames():
            data = self._read_text_frames(data)
        for start in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            self._read(data[start : start + PIECE])

    def _read(self, piece: bytes) -> None:
        """Let the library read some of what came, but drop what is too much behind the close frame.

        Such a connection is cut by the timer that began with its close frame; at once, it would not read that frame.
        """
        if self.close_sent:
            self._closing_bytes += len(piece)
        if self._closing_bytes <= CLOSING_MOST:
            super().data_received(piece)

    def _is_between_frames(self) -> bool:
        return (
            self.handshake_complete
            and not self.close_sent
            and not self.conn.reader.buffer
            and self.conn.current_size is None
            and self.conn.state is OPEN
        )

    def _read_text_frames(self, data: bytes) -> bytes:
        """Hand on the frames that data begins with, and give the rest (RFC 6455, section 5.2)."""
        start, end = 0, len(data)
        while end - start >= HEAD_MOST and data[start] == FINAL_TEXT and (length := data[start + 1] - MASKED) >= 0:
            mask = start + 2
            if length == TWO_BYTES_OF_LENGTH:
                length, mask = int.from_bytes(data[mask : mask + 2], "big"), mask + 2
            text, after = mask + 4, mask + 4 + length
            if length == EIGHT_BYTES_OF_LENGTH or after > end:
                break
            try:
                self._queue_text(apply_mask(data[text:after], data[mask:text]).decode())
            except UnicodeDecodeError:
                break
            start = after
        return data[start:] if start else data

    def _queue_text(self, text: str) -> None:
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused and self.queue.qsize() >= RECEIVED_MOST:
            self.read_paused = True
            self.transport.pause_reading()

    # What the application calls (`Connection`)

    @property
    def is_open(self) -> bool:
        return not (self.close_sent or self.disconnected)

    def write(self, text: bytes) -> None:
        if not self.is_open:
            return
        if not self._unsent:
            self._flushes.add(self)
        self._unsent += framed(text)
        if len(self._unsent) > GATHERED_MOST:
            self.flush()

    def flush(self) -> None:
        """Hand over what was written in this step."""
        unsent, self._unsent = self._unsent, b""
        if unsent and not self.transport.is_closing():
            self.transport.write(unsent)

    def close(self, code: int) -> None:
        self.flush()
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
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self._cut)

    def _cut(self) -> None:
        cut(self.transport)

    def _cut_if_stuck(self) -> None:
        """End a closing connection all the same if the other side does not take what is left."""
        if not self.disconnected and self.transport.get_write_buffer_size():
            self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self._cut)

    def _socket(self) -> socket.socket:
        found: socket.socket = self.transport.get_extra_info("socket")
        return found

    # What uvicorn calls

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            # They are never looked at again, and would stay as long as the connection.
            self.request = self.response = None  # type: ignore[assignment]

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # Else the system would keep megabytes for everyone who does not read.
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # Nobody resumes a connection that was lost while it was full, and someone may wait for room.
        self.is_free = True
        self.on_free()

    def _is_flood(self) -> bool:
        """Count a ping or pong; close the connection if there were too many, which cost as much as other frames."""
        now = self.loop.time()
        if now - self._controls_since > CONTROL_SECONDS:
            self._controls, self._controls_since = 0, now
        self._controls += 1
        if self._controls > CONTROLS_MOST and not self.close_sent:
            self.conn.fail(CloseCode.TOO_FAST, "too many pings")
            self.handle_parser_exception()
        return self._controls > CONTROLS_MOST

    def handle_pong(self, event: Any) -> None:
        if not self._is_flood():
            super().handle_pong(event)

    def handle_ping(self) -> None:
        if self._is_flood():
            return
        pong = self.conn.data_to_send()
        # Whoever asks without reading the answers would fill the memory with them; only the last ping counts anyway.
        if self.is_free:
            self.transport.write(b"".join(pong))

    def handle_cont(self, event: Any) -> None:
        if len(self.frames) >= FRAGMENTS_MOST:
            self.conn.fail(CloseCode.TOO_LARGE, "too many fragments")
            self.handle_parser_exception()
        else:
            super().handle_cont(event)

    def handle_close(self, event: Any) -> None:
        super().handle_close(event)
        self._cut_if_stuck()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._cut_if_stuck()

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
            self._cut_if_stuck()
        else:
            self.loop.call_later(random.uniform(0, settings.DRAIN_SECONDS), self.on_restart)  # noqa: S311


def cut(transport: asyncio.Transport) -> None:
    """End a connection at once; the system forgets what is stuck in it, which it would keep for ever."""
    found: socket.socket = transport.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
