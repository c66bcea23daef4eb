"""WebSockets as uvicorn's sansio protocol serves them, with what a chat needs in addition.

* The application writes whole text frames directly to the `Connection`: no coroutine and no ASGI event for each frame.
  Received frames are decoded here if they are short and complete, as nearly all are.
* A connection whose client does not read can be closed: the close frame is appended to the write buffer, and if it was
  not sent within `CLOSE_TIMEOUT` seconds, the connection is aborted. ASGI's `send` would wait for that full buffer.
* When the server stops, the application is notified at a random moment within `DRAIN_SECONDS`, and closes by itself.

This relies on private names of uvicorn, which is pinned; tests/chatproject/server/test_websocket.py notices when they
change.
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
"""Bytes before the text of a frame that is decoded here: two, two of length, four of mask."""
RECEIVED_MOST = 64
"""Frames that may wait for the application before reading is paused."""
BUFFERED_MOST = 64 * 1024
"""Bytes that are buffered for a connection in one step of the event loop before they are written to the transport."""
FRAGMENTS_MOST = 1024
"""Fragments of one message; empty ones would never reach the limit of its size."""
CHUNK_BYTES = 8 * 1024
"""Bytes that the library parses in one step: it parses all frames of a step before any of them can be refused."""
CONTROLS_MOST = 300
CONTROL_SECONDS = 10.0
"""Seconds within which so many pings and pongs may arrive: other frames are counted by the application."""
CLOSING_MOST = 256 * 1024
"""Bytes that are still parsed after the close frame was sent."""
CLOSE_TIMEOUT = 5.0
"""Seconds after which a connection is aborted if its close frame could not be sent."""
SEND_BUFFER = 256 * 1024
"""Bytes that the operating system buffers for a connection whose client does not read."""


class ChatSocket(WebSocketsSansIOProtocol):
    """One connection; the application finds it as a `Connection` in `scope["extensions"]`."""

    # Class attributes, until a connection sets its own: most never do, and this saves memory.
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
        """Decode short, complete text frames here; leave all other frames, and invalid ones, to the library."""
        if self._is_between_frames():
            data = self._read_text_frames(data)
        for start in range(0, len(data), CHUNK_BYTES):
            if self.transport.is_closing():
                return
            self._parse(data[start : start + CHUNK_BYTES])

    def _parse(self, chunk: bytes) -> None:
        """Let the library parse a part of the data, but discard what exceeds the limit after the close frame.

        Such a connection is aborted by the timer of its close frame. If it were aborted now, the client would not
        receive that frame.
        """
        if self.close_sent:
            self._closing_bytes += len(chunk)
        if self._closing_bytes <= CLOSING_MOST:
            super().data_received(chunk)

    def _is_between_frames(self) -> bool:
        return (
            self.handshake_complete
            and not self.close_sent
            and not self.conn.reader.buffer
            and self.conn.current_size is None
            and self.conn.state is OPEN
        )

    def _read_text_frames(self, data: bytes) -> bytes:
        """Decode and queue the frames at the start of the data; return the rest (RFC 6455, section 5.2)."""
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
        if len(self._unsent) > BUFFERED_MOST:
            self.flush()

    def flush(self) -> None:
        """Write to the transport what was buffered in this step."""
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
            # The close frame of the client has to be read.
            self.read_paused = False
            self.transport.resume_reading()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self._abort)

    def _abort(self) -> None:
        abort(self.transport)

    def _abort_if_stuck(self) -> None:
        """Abort a closing connection after a time limit if the client does not read the rest of the write buffer."""
        if not self.disconnected and self.transport.get_write_buffer_size():
            self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self._abort)

    def _socket(self) -> socket.socket:
        found: socket.socket = self.transport.get_extra_info("socket")
        return found

    # What uvicorn calls

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.accept":
            # They are not used any more, but would need memory as long as the connection exists.
            self.request = self.response = None  # type: ignore[assignment]

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # Otherwise the operating system would buffer megabytes for every client that does not read.
        self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # A lost connection is never resumed, and a task may be waiting for room in its write buffer.
        self.is_free = True
        self.on_free()

    def _is_flood(self) -> bool:
        """Count a ping or pong, which costs as much as other frames; close the connection if there were too many."""
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
        # A client that sends pings and does not read would fill the memory with pongs. They may be omitted: only the
        # last ping needs an answer.
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
        self._abort_if_stuck()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._abort_if_stuck()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.is_free = False

    def resume_writing(self) -> None:
        super().resume_writing()
        self.is_free = True
        self.on_free()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        # A client that does not answer pings does not read a close frame either.
        self._abort()

    def shutdown(self) -> None:
        if self.close_sent or self.on_restart is ignore:
            super().shutdown()
            self._abort_if_stuck()
        else:
            self.loop.call_later(random.uniform(0, settings.DRAIN_SECONDS), self.on_restart)  # noqa: S311


def abort(transport: asyncio.Transport) -> None:
    """Close a connection at once; the operating system discards its unsent data instead of keeping it."""
    found: socket.socket = transport.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
