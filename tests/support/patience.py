"""Waiting for something to come true."""

import asyncio
import time
from collections.abc import Callable


async def until(came_true: Callable[[], bool], *, within: float) -> bool:
    """Wait until something is true, for so many seconds at most; tell whether it is."""
    deadline = time.monotonic() + within
    while not came_true() and time.monotonic() < deadline:  # noqa: ASYNC110 (it is told by no event)
        await asyncio.sleep(0.05)
    return came_true()


def wait_until(came_true: Callable[[], object], *, within: float) -> None:
    """Wait in this thread until something is true, for so many seconds at most; AssertionError if it never is."""
    deadline = time.monotonic() + within
    while not came_true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
