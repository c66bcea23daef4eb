"""Frames on their way out to one socket, without a task or a queue for those that take them at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any

from chatproject import metrics

QUEUE_LENGTH = 1000

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Outgoing:
    """A socket's bounded queue. A frame is handed to the server in the caller's own step; only where the server makes
    it wait does a task go on with it, and the frames behind it queue up."""

    __slots__ = ("_abandoned", "_closed", "_draining", "_on_slow", "_queue", "_send")

    def __init__(self, send: Send, *, on_slow: Callable[[], None]) -> None:
        self._send = send
        self._on_slow = on_slow
        self._queue: deque[dict[str, Any]] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._closed = False

    def put(self, frame: str) -> None:
        """Send a text frame now, or as soon as those before it have gone."""
        self._put({"type": "websocket.send", "text": frame})

    def mention(self, frame: str) -> None:
        """Send a text frame now, or never where others wait already."""
        if self._draining is None:
            self.put(frame)

    def close(self, code: int) -> None:
        """Close the socket behind what is queued; nothing is sent after that."""
        self._put({"type": "websocket.close", "code": code})
        self._closed = True

    def abandon(self, code: int) -> None:
        """Give up what is queued and close, however long the other side takes to notice."""
        self._closed = True
        self._queue.clear()
        if self._draining is not None:
            self._draining.cancel()
        self._abandoned = asyncio.ensure_future(self._send({"type": "websocket.close", "code": code}))

    def _put(self, event: dict[str, Any]) -> None:
        if self._closed:
            return
        if self._draining is not None:
            if len(self._queue) >= QUEUE_LENGTH:
                self._closed = True
                self._queue.clear()
                metrics.OVERFLOWS.inc()
                self._on_slow()
                return
            self._queue.append(event)
        elif (rest := _first_step(self._send(event))) is not None:
            self._draining = asyncio.get_running_loop().create_task(self._drain(rest))

    async def _drain(self, rest: Coroutine[Any, Any, None]) -> None:
        try:
            await rest
            while self._queue:
                await self._send(self._queue.popleft())
        except Exception:
            # The other side has gone; the receiving loop hears of it and cleans up.
            self._closed = True
            self._queue.clear()
        finally:
            self._draining = None


def _first_step(sending: Awaitable[None]) -> Coroutine[Any, Any, None] | None:
    """Run a coroutine until it waits for something; give what is left of it, None if it came to its end."""
    steps = sending.__await__()
    try:
        waiting_for = next(steps)
    except Exception:
        # Its end, or a socket that has gone, of which the receiving loop hears.
        return None
    return _resume(steps, waiting_for)


async def _resume(steps: Generator[Any, Any, None], waiting_for: Any) -> None:
    await _Rest(steps, waiting_for)


class _Rest:
    """A coroutine that was started elsewhere, to go on in the task that awaits this."""

    def __init__(self, steps: Generator[Any, Any, None], waiting_for: Any) -> None:
        self._steps, self._waiting_for = steps, waiting_for

    def __await__(self) -> Generator[Any, Any, None]:
        while True:
            try:
                value = yield self._waiting_for
            except BaseException as error:
                step = partial(self._steps.throw, error)
            else:
                step = partial(self._steps.send, value)
            try:
                self._waiting_for = step()
            except StopIteration:
                return
