"""A WebSocket connection as the application uses it, its buffers, and the encoding of a text frame."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from chatproject.core.one_per_loop import OnePerLoop

logger = logging.getLogger(__name__)

EXTENSION = "parley.connection"
"""The name under which the application finds its `Connection` in `scope["extensions"]`."""


class Connection(Protocol):
    """A connection to one device, as the application writes to it: one text frame at a time."""

    on_free: Callable[[], None]
    on_restart: Callable[[], None]
    """Called when the server is about to stop."""

    @property
    def is_free(self) -> bool:
        """Whether a frame is accepted at once; `on_free` is called when it becomes true again."""

    @property
    def is_open(self) -> bool:
        """Whether the client is still connected, as far as is known."""

    def write(self, text: bytes) -> None:
        """Send one text frame; does nothing after the client has disconnected."""

    def close(self, code: int) -> None:
        """Close after what was written; the connection is aborted soon if the client does not read that."""


def ignore() -> None:
    """The callback of a connection until one is set."""


def framed(text: bytes) -> bytes:
    """Encode a text frame as a server sends it: unfragmented and unmasked (RFC 6455, section 5.2)."""
    length = len(text)
    if length < 126:
        return bytes((0x81, length)) + text
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text


class ReceiveQueue:
    """The received events that wait to be read. asyncio's queue would take a tenth of an idle socket's memory."""

    __slots__ = ("_events", "_reader")

    def __init__(self) -> None:
        self._events: list[Any] = []
        self._reader: asyncio.Future[None] | None = None

    def put_nowait(self, event: Any) -> None:
        self._events.append(event)
        self._wake()

    async def get(self) -> Any:
        while not self._events:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._events.pop(0)

    def empty(self) -> bool:
        return not self._events

    def qsize(self) -> int:
        return len(self._events)

    def _wake(self) -> None:
        if self._reader is not None:
            if not self._reader.done():
                self._reader.set_result(None)
            self._reader = None


class WriteGate:
    """An event that is set while the connection can be written to. It is rarely waited for, so it is kept small."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = True
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        self._is_set = True
        for each in self._waiting:
            if not each.done():
                each.set_result(None)
        self._waiting = []

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        while not self._is_set:
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]


class Flushable(Protocol):
    def flush(self) -> None: ...


class EndOfStepFlushes:
    """The connections that were written to in this step of an event loop, flushed at its end.

    A system call costs more than all the rest of a delivery, so a connection gets one for all frames of a step.
    """

    def __init__(self) -> None:
        self._call_soon = asyncio.get_running_loop().call_soon
        self._written: list[Flushable] = []

    def add(self, connection: Flushable) -> None:
        """Flush a connection at the end of this step."""
        if not self._written:
            self._call_soon(self._flush)
        self._written.append(connection)

    def _flush(self) -> None:
        written, self._written = self._written, []
        for connection in written:
            try:
                connection.flush()
            except Exception:
                # If one connection fails, the others must still be flushed.
                logger.exception("a connection could not be flushed")


flushes = OnePerLoop(EndOfStepFlushes)
