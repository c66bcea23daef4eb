"""Sending frames to one socket: at once if the connection accepts them, otherwise from a bounded queue."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from chatproject.core import metrics
from chatproject.server.connection import Connection, ignore

QUEUE_LENGTH = 1000
QUEUE_BYTES = 4 * 1024 * 1024
READING_SECONDS = 15.0
"""Seconds within which a device has to make room for frames that are sent before queued ones."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class SendQueue:
    """The send queue of one socket: putting a frame never waits; a socket whose queue is full is closed as too slow."""

    __slots__ = ("_code", "_connection", "_is_on_hold", "_on_overflow", "_queue", "_queued_bytes", "_room")

    def __init__(self, connection: Connection, *, on_overflow: Callable[[], None]) -> None:
        self._connection = connection
        self._on_overflow = on_overflow
        # Created when it is needed: most sockets never need one, and this saves their memory.
        self._queue: deque[bytes] | None = None
        self._queued_bytes = 0
        """Bytes in the queue."""
        self._code: int | None = None
        self._is_on_hold = False
        self._room: asyncio.Future[None] | None = None
        connection.on_free = self._send_queued

    def put(self, frame: bytes) -> None:
        """Send a text frame now, or after the frames that are queued."""
        if self._code is not None:
            return
        if self._accepts:
            self._connection.write(frame)
        else:
            self._enqueue(frame)

    def put_if_idle(self, frame: bytes) -> bool:
        """Send a text frame now, or drop it if others are queued already; return whether it was sent."""
        if self._accepts:
            self.put(frame)
            return True
        return False

    def hold(self) -> None:
        """Queue every frame that is put from now on, until `release`."""
        self._is_on_hold = True

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""
        return self._code is None and self._connection.is_open

    async def put_ahead(self, frame: bytes) -> None:
        """Send a frame before all queued ones, as soon as there is room; a device that does not read is closed."""
        await self._until_room()
        if self._code is None:
            self._connection.write(frame)

    async def until_free(self) -> None:
        """Wait until there is room again after what was written is flushed, at the end of the loop step."""
        await asyncio.sleep(0)
        await self._until_room()

    async def _until_room(self) -> None:
        try:
            async with asyncio.timeout(READING_SECONDS):
                while self._code is None and not self._connection.is_free:
                    self._room = asyncio.get_running_loop().create_future()
                    await self._room
        except TimeoutError:
            metrics.OVERFLOWS.inc()
            self._on_overflow()

    def release(self) -> None:
        """Send what is queued; frames are sent at once again."""
        self._is_on_hold = False
        self._send_queued()

    def close(self, code: int) -> None:
        """Close the socket after what is queued; nothing is sent after that."""
        if self._code is None:
            self._code = code
            self._send_queued()

    def abandon(self, frame: bytes, code: int) -> None:
        """Drop what is queued, send this frame and close, without waiting for the device to read."""
        self._queue, self._code, self._is_on_hold = None, code, False
        self._connection.write(frame)
        self._end(code)

    @property
    def _accepts(self) -> bool:
        return self._connection.is_free and not self._queue and not self._is_on_hold

    def _enqueue(self, frame: bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        if len(self._queue) > QUEUE_LENGTH or self._queued_bytes > QUEUE_BYTES:
            metrics.OVERFLOWS.inc()
            self._on_overflow()

    def _send_queued(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        if self._is_on_hold:
            return
        while self._connection.is_free and self._queue:
            frame = self._queue.popleft()
            self._queued_bytes -= len(frame)
            self._connection.write(frame)
        if not self._queue:
            self._queue = None
            if self._code is not None and self._connection.is_free:
                self._end(self._code)

    def _end(self, code: int) -> None:
        self._connection.on_free = ignore
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._connection.close(code)


class AsgiConnection:
    """A connection through any ASGI server: each frame is sent by a task, one after the other."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sending: asyncio.Task[None] | None = None
        self.is_open = True
        self.on_free: Callable[[], None] = ignore
        self.on_restart: Callable[[], None] = ignore

    @property
    def is_free(self) -> bool:
        return self._sending is None

    def write(self, text: bytes) -> None:
        """Send one text frame; one that is still being sent is dropped, which only `abandon` causes."""
        self._start({"type": "websocket.send", "text": text.decode()})

    def close(self, code: int) -> None:
        # Some servers check for the exact type `int`, which a `CloseCode` is not.
        self._start({"type": "websocket.close", "code": int(code)})

    def _start(self, event: dict[str, Any]) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = asyncio.get_running_loop().create_task(self._finish(event))

    async def _finish(self, event: dict[str, Any]) -> None:
        # An error may be ignored: the receive loop gets the disconnect event, and cleans up.
        try:
            await self._send(event)
        except Exception:
            self.is_open = False
        self._sending = None
        self.on_free()
