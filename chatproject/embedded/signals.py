"""Ctrl-C, SIGTERM and a closed terminal: noted when they come, acted upon where it is safe."""

import signal
from types import FrameType

from .errors import StopWanted


class Signals:
    """Remembers that someone wants us to end; later signals change nothing, so that the end is an orderly one."""

    def __init__(self) -> None:
        self.wanted = False

    def listen(self) -> None:
        """Note signals ourselves. In its loop, honcho hears SIGINT and SIGTERM in our place."""
        signal.signal(signal.SIGINT, self.note)
        signal.signal(signal.SIGTERM, self.note)
        signal.signal(signal.SIGHUP, terminate)

    def check(self) -> None:
        """Raise StopWanted once a signal has come."""
        if self.wanted:
            raise StopWanted

    def note(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        self.wanted = True


def terminate(_number: int, _frame: FrameType | None) -> None:
    """Treat a closed terminal as SIGTERM, which honcho knows and its forks leave unheard."""
    signal.raise_signal(signal.SIGTERM)
