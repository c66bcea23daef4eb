"""Sending frames to one socket: at once where it accepts them, from a bounded queue where it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from chatproject.core import metrics
from chatproject.server.connection import Connection, ignore

QUEUE_LENGTH = 1000
QUEUE_BYTES = 4 * 1024 * 1024
READING_SECONDS = 15.0
"""Seconds in which a device has to make room for what is sent ahead of everything else."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class SendQueue:
    """The send queue of one socket: putting a frame never waits; a socket whose queue is full is closed as too slow."""

    __slots__ = ("_code", "_connection", "_is_on_hold", "_on_overflow", "_queue", "_room", "_waiting")

    def __init__(self, connection: Connection, *, on_overflow: Callable[[], None]) -> None:
        self._connection = connection
        self._on_overflow = on_overflow
        # Most sockets never need one.
        self._queue: deque[bytes] | None = None
        self._waiting = 0
        """Bytes in the queue."""
        self._code: int | None = None
        self._is_on_hold = False
        self._room: asyncio.Future[None] | None = None
        connection.on_free = self._go_on

    def put(self, frame: bytes) -> None:
        """Send a text frame now, or as soon as those before it have gone."""
        if self._code is not None:
            return
        if self._accepts:
            self._connection.write(frame)
        else:
            self._wait(frame)

    def put_if_idle(self, frame: bytes) -> bool:
        """Send a text frame now, or drop it where others are queued already; tell whether it was sent."""
        if self._accepts:
            self.put(frame)
            return True
        return False

    def hold(self) -> None:
        """Queue every frame that is put from now on."""
        self._is_on_hold = True

    @property
    def is_open(self) -> bool:
        """Whether anyone still receives what is sent."""
        return self._code is None and self._connection.is_open

    async def put_ahead(self, frame: bytes) -> None:
        """Send a frame before all queued ones, as soon as there is room; a device that does not read is too slow."""
        await self._until_room()
        if self._code is None:
            self._connection.write(frame)

    async def until_free(self) -> None:
        """Wait until there is room after all that was written; it is flushed at the end of a step of the event loop."""
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
        """Send what is queued, and every frame at once again."""
        self._is_on_hold = False
        self._go_on()

    def close(self, code: int) -> None:
        """Close the socket after what is queued; nothing is sent after that."""
        if self._code is None:
            self._code = code
            self._go_on()

    def abandon(self, frame: bytes, code: int) -> None:
        """Drop what is queued, send this frame and close, however long the other side takes to notice."""
        self._queue, self._code, self._is_on_hold = None, code, False
        self._connection.write(frame)
        self._end(code)

    @property
    def _accepts(self) -> bool:
        return self._connection.is_free and not self._queue and not self._is_on_hold

    def _wait(self, frame: bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(frame)
        self._waiting += len(frame)
        if len(self._queue) > QUEUE_LENGTH or self._waiting > QUEUE_BYTES:
            metrics.OVERFLOWS.inc()
            self._on_overflow()

    def _go_on(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        if self._is_on_hold:
            return
        while self._connection.is_free and self._queue:
            frame = self._queue.popleft()
            self._waiting -= len(frame)
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
    """A connection through any ASGI server: a task for each frame, and the next one after it."""

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
        # Some servers check the type itself, and a `CloseCode` is none of theirs.
        self._start({"type": "websocket.close", "code": int(code)})

    def _start(self, event: dict[str, Any]) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = asyncio.get_running_loop().create_task(self._finish(event))

    async def _finish(self, event: dict[str, Any]) -> None:
        # The receiving loop is told that a socket has disconnected, and cleans up.
        try:
            await self._send(event)
        except Exception:
            self.is_open = False
        self._sending = None
        self.on_free()
