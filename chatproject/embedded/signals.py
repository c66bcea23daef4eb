"""Ctrl-C, SIGTERM and a closed terminal: noted when they come, acted upon where it is safe."""

import signal
from types import FrameType

from .errors import StopWanted

WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Remembers that someone wants us to end; later signals change nothing, so that the end is an orderly one."""

    def __init__(self) -> None:
        self._wanted = False

    def listen(self) -> None:
        def note(_number: int, _frame: FrameType | None) -> None:
            self._wanted = True

        for number in WANTED:
            signal.signal(number, note)

    def check(self) -> None:
        """Raise StopWanted once a signal has come."""
        if self._wanted:
            raise StopWanted
