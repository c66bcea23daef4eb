"""The engines together: started at once, watched, stopped in order."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from .engine import Engine
from .errors import CannotRun
from .folder import Folder
from .keys import keys
from .postgres import Postgres
from .process import PAUSE
from .redis import Redis
from .storage import Storage

# The order of launching and of stopping: the one that may take longest to launch comes last.
KINDS: tuple[type[Engine], ...] = (Storage, Redis, Postgres)


class Engines:
    """Those engines which the environment does not name."""

    def __init__(self, folder: Folder, environ: Mapping[str, str]) -> None:
        self._secrets = keys(folder)
        self.all = [kind(folder, self._secrets, environ) for kind in KINDS if not environ.get(kind.variable)]
        self._environ = environ

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """Launch those that do not run, all at once, and wait until every one answers; `check` may end the waiting."""
        for engine in self.all:
            engine.launch()
        for engine in self.all:
            self._wait_for(engine, check)

    def fallen(self) -> list[Engine]:
        """Return the engines that ended by themselves."""
        return [engine for engine in self.all if not engine.process.is_running()]

    def stop(self) -> None:
        """Ask all to stop, and wait until they have."""
        for engine in self.all:
            engine.ask_to_stop()
        for engine in self.all:
            engine.end()

    def environment(self) -> dict[str, str]:
        """Return what the application needs to know and was not told otherwise."""
        told = {name: self._secrets[name] for name in ("SECRET_KEY", "CHAT_KEYS") if not self._environ.get(name)}
        for engine in self.all:
            told |= engine.environment()
        return told

    @property
    def database_url(self) -> str:
        return self._environ.get("DATABASE_URL") or self.environment()["DATABASE_URL"]

    def _wait_for(self, engine: Engine, check: Callable[[], None]) -> None:
        deadline = time.monotonic() + engine.start_seconds
        while not engine.answers():
            check()
            if not engine.process.is_running():
                self._launch_again(engine)
            elif time.monotonic() > deadline:
                raise CannotRun(
                    f"{engine.title} does not answer. Its last words, from {engine.log}:\n{engine.last_words()}"
                )
            time.sleep(PAUSE)

    def _launch_again(self, engine: Engine) -> None:
        words = engine.last_words()
        if not engine.may_try_again(words):
            raise CannotRun(f"{engine.title} did not start. Its last words, from {engine.log}:\n{words}")
        time.sleep(0.5)
        engine.launch()


@contextmanager
def running_engines(
    folder: Folder, environ: Mapping[str, str], check: Callable[[], None] = lambda: None
) -> Iterator[Engines]:
    """Have the engines for as long as the block lasts; every command finds them by the folder's `environment`."""
    engines = Engines(folder, environ)
    try:
        engines.start(check)
        with folder.written_environment(engines.environment()):
            yield engines
    finally:
        engines.stop()
