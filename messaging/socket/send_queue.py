"""Frames on their way out to one socket: at once where it takes them, in a bounded queue where it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from chatproject.core import metrics
from chatproject.server.websocket import Line, ignore

QUEUE_LENGTH = 1000
QUEUE_BYTES = 4 * 1024 * 1024
READING_SECONDS = 15.0
"""Seconds in which a device has to make room for what is sent ahead of everything else."""

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outgoing:
    """A socket's way out. Whoever puts a frame never waits; a socket over its bound is closed and called slow."""

    __slots__ = ("_code", "_is_held", "_line", "_on_slow", "_queue", "_room", "_waiting")

    def __init__(self, line: Line, *, on_slow: Callable[[], None]) -> None:
        self._line = line
        self._on_slow = on_slow
        # Most sockets never need one.
        self._queue: deque[bytes] | None = None
        self._waiting = 0
        """Bytes in the queue."""
        self._code: int | None = None
        self._is_held = False
        self._room: asyncio.Future[None] | None = None
        line.on_free = self._go_on

    def put(self, frame: bytes) -> None:
        """Send a text frame now, or as soon as those before it have gone."""
        if self._code is not None:
            return
        if self._takes:
            self._line.write(frame)
        else:
            self._wait(frame)

    def put_if_idle(self, frame: bytes) -> bool:
        """Send a text frame now, or drop it where others are queued already; tell whether it was sent."""
        if self._takes:
            self.put(frame)
            return True
        return False

    def hold(self) -> None:
        """Let all that is put from now on wait."""
        self._is_held = True

    @property
    def is_open(self) -> bool:
        """Whether anyone still receives what is sent."""
        return self._code is None and self._line.is_open

    async def put_ahead(self, frame: bytes) -> None:
        """Send a frame ahead of all that is held, as soon as there is room; a device that makes none is slow."""
        await self._until_room()
        if self._code is None:
            self._line.write(frame)

    async def until_free(self) -> None:
        """Wait until there is room behind all that was written, which the connection is handed at the end of a step."""
        await asyncio.sleep(0)
        await self._until_room()

    async def _until_room(self) -> None:
        try:
            async with asyncio.timeout(READING_SECONDS):
                while self._code is None and not self._line.is_free:
                    self._room = asyncio.get_running_loop().create_future()
                    await self._room
        except TimeoutError:
            metrics.OVERFLOWS.inc()
            self._on_slow()

    def release(self) -> None:
        """Let go what was held."""
        self._is_held = False
        self._go_on()

    def close(self, code: int) -> None:
        """Close the socket behind what is queued; nothing is sent after that."""
        if self._code is None:
            self._code = code
            self._go_on()

    def abandon(self, frame: bytes, code: int) -> None:
        """Give up what is queued, say why and close, however long the other side takes to notice."""
        self._queue, self._code, self._is_held = None, code, False
        self._line.write(frame)
        self._end(code)

    @property
    def _takes(self) -> bool:
        return self._line.is_free and not self._queue and not self._is_held

    def _wait(self, frame: bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(frame)
        self._waiting += len(frame)
        if len(self._queue) > QUEUE_LENGTH or self._waiting > QUEUE_BYTES:
            metrics.OVERFLOWS.inc()
            self._on_slow()

    def _go_on(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        if self._is_held:
            return
        while self._line.is_free and self._queue:
            frame = self._queue.popleft()
            self._waiting -= len(frame)
            self._line.write(frame)
        if not self._queue:
            self._queue = None
            if self._code is not None and self._line.is_free:
                self._end(self._code)

    def _end(self, code: int) -> None:
        self._line.on_free = ignore
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._line.close(code)


class AnyLine:
    """The way out through any ASGI server: a task for each frame, and the next one behind it."""

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
        """Send one text frame; one that still waits is given up, as only `abandon` would have it."""
        self._start({"type": "websocket.send", "text": text.decode()})

    def close(self, code: int) -> None:
        self._start({"type": "websocket.close", "code": code})

    def _start(self, event: dict[str, Any]) -> None:
        if self._sending is not None:
            self._sending.cancel()
        self._sending = asyncio.get_running_loop().create_task(self._finish(event))

    async def _finish(self, event: dict[str, Any]) -> None:
        # The receiving loop learns that a socket has gone, and cleans up.
        try:
            await self._send(event)
        except Exception:
            self.is_open = False
        self._sending = None
        self.on_free()
