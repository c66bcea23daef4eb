"""Ctrl-C, SIGTERM and a closed terminal: recorded when they arrive, handled where it is safe."""

import signal
from types import FrameType

from .errors import StopRequested


class Signals:
    """Records that a stop was requested; further signals change nothing, so that the stop stays orderly."""

    def __init__(self) -> None:
        self._stop_requested = False

    def install(self) -> None:
        """Handle the signals ourselves. While honcho's loop runs, it handles SIGINT and SIGTERM instead."""
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGHUP, terminate)

    def check(self) -> None:
        """Raise StopRequested if a signal has arrived."""
        if self._stop_requested:
            raise StopRequested

    def request_stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        self._stop_requested = True


def terminate(_number: int, _frame: FrameType | None) -> None:
    """Treat a closed terminal as SIGTERM: honcho handles that one, and its forks ignore it."""
    signal.raise_signal(signal.SIGTERM)
