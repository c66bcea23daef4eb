"""What happens beside honcho's loop: the address is said once the page answers, and fallen engines come back."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from .address import Address
from .engines import Engines
from .errors import CannotRun, StopWanted
from .greeting import greeting, page_answers, say
from .signals import Signals

PAUSE = 0.2


@contextmanager
def watched(engines: Engines, address: Address, signals: Signals, *, shows_demo: bool) -> Iterator[None]:
    """Watch from a thread for as long as the block lasts; raise CannotRun if an engine had to end it."""
    watcher = Watcher(engines, address, signals, shows_demo=shows_demo)
    thread = Thread(target=watcher.watch)
    thread.start()
    try:
        yield
    finally:
        watcher.over.set()
        thread.join()
    if watcher.reason:
        raise watcher.reason


class Watcher:
    """Looks after the engines and the page until it is over."""

    def __init__(self, engines: Engines, address: Address, signals: Signals, *, shows_demo: bool) -> None:
        self.over = Event()
        self.reason: CannotRun | None = None
        self._engines = engines
        self._address = address
        self._signals = signals
        self._shows_demo = shows_demo

    def watch(self) -> None:
        """Look until something must end, then end honcho's loop by a signal, as anyone else would."""
        try:
            self._look()
        except StopWanted:
            pass
        except CannotRun as reason:
            self.reason = reason
        while not self.over.wait(1):
            os.kill(os.getpid(), signal.SIGTERM)

    def _look(self) -> None:
        has_greeted = False
        # It begins with a pause, in which honcho forks: a process is best forked while its threads hold nothing.
        while not self.over.wait(PAUSE):
            self._check()
            if fallen := self._engines.fallen():
                say(f"{' and '.join(engine.title for engine in fallen)} ended by itself and is started again.")
                self._engines.start(self._check)
            if not has_greeted and page_answers(self._address):
                say(f"\n{greeting(self._address, self._engines.database_url, shows_demo=self._shows_demo)}\n")
                has_greeted = True

    def _check(self) -> None:
        """Notice a signal that came before honcho could act upon it, and the end of its loop."""
        self._signals.check()
        if self.over.is_set():
            raise StopWanted
