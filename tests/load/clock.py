"""A tick more exact than an event loop's timers, which know whole milliseconds only."""

import asyncio
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MONOTONIC = 1
NANOSECONDS = 1_000_000_000


class _Interval(ctypes.Structure):
    """The kernel's `struct itimerspec`: how often, and when first."""

    _fields_ = [(name, ctypes.c_long) for name in ("every_s", "every_ns", "first_s", "first_ns")]


@contextmanager
def ticking(every: float, tick: Callable[[], None]) -> Iterator[None]:
    """Call something at a fixed rate while the block lasts; a loop that is late catches up by one call."""
    library = ctypes.CDLL(None, use_errno=True)
    timer = library.timerfd_create(MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    if timer < 0:
        raise OSError(ctypes.get_errno(), "no timer")
    seconds, part = divmod(round(every * NANOSECONDS), NANOSECONDS)
    library.timerfd_settime(timer, 0, ctypes.byref(_Interval(seconds, part, seconds, part)), None)
    loop = asyncio.get_running_loop()

    def take() -> None:
        os.read(timer, 8)
        tick()

    loop.add_reader(timer, take)
    try:
        yield
    finally:
        loop.remove_reader(timer)
        os.close(timer)
