"""All engines together: start them at once, wait for them, stop them."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from .data_folder import DataFolder
from .engine import Engine
from .errors import CannotRun
from .keys import load_keys
from .postgres import Postgres
from .process import PAUSE
from .redis import Redis
from .storage import Storage

# The order of launching and of stopping: the one that may take longest to launch comes last.
ENGINE_TYPES: tuple[type[Engine], ...] = (Storage, Redis, Postgres)


class Engines:
    """The engines that the environment does not name."""

    def __init__(self, folder: DataFolder, environ: Mapping[str, str]) -> None:
        self._secrets = load_keys(folder)
        self.all = [kind(folder, self._secrets, environ) for kind in ENGINE_TYPES if not environ.get(kind.variable)]
        self._environ = environ

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """Launch those that are not running and wait until all answer; `check` may end the wait by an exception."""
        for engine in self.all:
            engine.launch()
        for engine in self.all:
            self._wait_for(engine, check)

    def crashed(self) -> list[Engine]:
        """Return the engines that have ended by themselves."""
        return [engine for engine in self.all if not engine.process.is_running()]

    def stop(self) -> None:
        """Request that all stop, and wait until they have."""
        for engine in self.all:
            engine.request_stop()
        for engine in self.all:
            engine.end()

    def environment(self) -> dict[str, str]:
        """Return the variables that the application needs and the environment does not set."""
        variables = {name: self._secrets[name] for name in ("SECRET_KEY", "CHAT_KEYS") if not self._environ.get(name)}
        for engine in self.all:
            variables |= engine.environment()
        return variables

    @property
    def database_url(self) -> str:
        return self._environ.get("DATABASE_URL") or self.environment()["DATABASE_URL"]

    def _wait_for(self, engine: Engine, check: Callable[[], None]) -> None:
        deadline = time.monotonic() + engine.start_seconds
        while not engine.answers():
            check()
            if not engine.process.is_running():
                self._relaunch(engine)
            elif time.monotonic() > deadline:
                raise CannotRun(
                    f"{engine.title} does not answer. The end of its log, {engine.log}:\n{engine.recent_log()}"
                )
            time.sleep(PAUSE)

    def _relaunch(self, engine: Engine) -> None:
        log = engine.recent_log()
        if not engine.can_retry(log):
            raise CannotRun(f"{engine.title} did not start. The end of its log, {engine.log}:\n{log}")
        time.sleep(0.5)
        engine.launch()


@contextmanager
def running_engines(
    folder: DataFolder, environ: Mapping[str, str], check: Callable[[], None] = lambda: None
) -> Iterator[Engines]:
    """Run the engines for as long as the block lasts; every command finds them by the folder's file `environment`."""
    engines = Engines(folder, environ)
    try:
        engines.start(check)
        with folder.written_environment(engines.environment()):
            yield engines
    finally:
        engines.stop()
