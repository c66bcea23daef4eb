"""What happens beside honcho's loop: the address is said once the page answers, and fallen engines come back."""

import os
import signal
from threading import Event, Thread
from types import TracebackType

from .address import Address
from .application import Application
from .engines import Engines
from .errors import CannotRun, StopWanted
from .greeting import greeting, page_answers
from .signals import Signals
from .terminal import say

PAUSE = 0.2
# An engine that falls more often than this is not helped by starting it again.
RESTARTS = 5


class Watcher:
    """A thread for as long as the block lasts; `reason` says why it ended the application, if it did."""

    def __init__(self, application: Application, engines: Engines, address: Address, signals: Signals) -> None:
        self.reason: CannotRun | None = None
        self._application = application
        self._engines = engines
        self._address = address
        self._signals = signals
        self._has_greeted = False
        self._restarts = 0
        self._over = Event()
        self._thread = Thread(target=self._watch, name="watcher")

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._application.is_ending.set()
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        # It begins with a pause, in which honcho forks: a process is best forked while its threads hold nothing.
        while not self._over.wait(PAUSE):
            if self._application.is_ending.is_set():
                self._application.terminate()
            elif self._signals.wanted or self.reason:
                # Heard before honcho listened, or our own wish: let it end as by any other signal.
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                self._look()

    def _look(self) -> None:
        try:
            self._restart_fallen()
            self._greet()
        except StopWanted:
            pass
        except CannotRun as reason:
            self.reason = reason

    def _restart_fallen(self) -> None:
        if not (fallen := self._engines.fallen()):
            return
        self._restarts += 1
        titles = " and ".join(engine.title for engine in fallen)
        if self._restarts > RESTARTS:
            raise CannotRun(f"{titles} ended by itself again and again, so Parley ends too.")
        say(f"{titles} ended by itself and is started again.")
        self._engines.start(self._check)

    def _greet(self) -> None:
        if not self._has_greeted and page_answers(self._address):
            self._has_greeted = True
            say(f"\n{greeting(self._address, self._engines.database_url)}\n")

    def _check(self) -> None:
        if self._application.is_ending.is_set():
            raise StopWanted
