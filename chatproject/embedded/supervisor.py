"""What happens beside honcho's loop: report when the page answers, and restart engines that have crashed."""

import http.client
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from chatproject.exposure import Address

from .console import ready_message, show
from .engines import Engines
from .errors import CannotRun, StopRequested
from .signals import Signals

PAUSE = 0.2


@contextmanager
def supervised(engines: Engines, address: Address, signals: Signals, *, shows_demo: bool) -> Iterator[None]:
    """Supervise from a thread for as long as the block lasts; raise CannotRun if an engine could not be restarted."""
    supervisor = Supervisor(engines, address, signals, shows_demo=shows_demo)
    thread = Thread(target=supervisor.run)
    thread.start()
    try:
        yield
    finally:
        supervisor.finished.set()
        thread.join()
    if supervisor.failure:
        raise supervisor.failure


class Supervisor:
    """Watches the engines and the page until `finished` is set."""

    def __init__(self, engines: Engines, address: Address, signals: Signals, *, shows_demo: bool) -> None:
        self.finished = Event()
        self.failure: CannotRun | None = None
        self._engines = engines
        self._address = address
        self._signals = signals
        self._shows_demo = shows_demo

    def run(self) -> None:
        """Supervise until the run has to end, then end honcho's loop as anyone else would: by a signal."""
        try:
            self._supervise()
        except StopRequested:
            pass
        except CannotRun as failure:
            self.failure = failure
        while not self.finished.wait(1):
            os.kill(os.getpid(), signal.SIGTERM)

    def _supervise(self) -> None:
        is_announced = False
        # It begins with a pause, in which honcho forks: it is best to fork while no thread of ours holds a lock.
        while not self.finished.wait(PAUSE):
            self._check()
            if crashed := self._engines.crashed():
                show(f"{' and '.join(engine.title for engine in crashed)} ended by itself and is started again.")
                self._engines.start(self._check)
            if not is_announced and page_answers(self._address):
                show(f"\n{ready_message(self._address, self._engines.database_url, shows_demo=self._shows_demo)}\n")
                is_announced = True

    def _check(self) -> None:
        """Raise StopRequested if a signal came before honcho could handle it, or honcho's loop has ended."""
        self._signals.check()
        if self.finished.is_set():
            raise StopRequested


def page_answers(address: Address) -> bool:
    """Tell whether the web server answers."""
    connection = http.client.HTTPConnection(str(address).removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
