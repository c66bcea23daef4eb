"""The application's own processes, the web server and the jobs, in honcho's hands."""

import shlex
import sys
from collections.abc import Mapping
from threading import Event

from honcho.manager import SIGNALS, Manager

from .address import Address
from .folder import PROJECT
from .terminal import TerminalPrinter

# Less than the 5 seconds after which honcho ends by force what outlives its companion.
GRACE_SECONDS = 3
UVICORN = (
    "--ws=websockets-sansio",
    "--ws-per-message-deflate=false",
    "--ws-max-size=1048576",
    "--loop=uvloop",
    "--http=httptools",
    "--lifespan=off",
    "--no-access-log",
    "--no-server-header",
    "--no-proxy-headers",
    f"--timeout-graceful-shutdown={GRACE_SECONDS}",
    "--log-level=warning",
)


class Application(Manager):  # type: ignore[misc]  # honcho has no types
    """Web and jobs. When one ends, honcho ends the other."""

    def __init__(self, environ: Mapping[str, str], address: Address) -> None:
        super().__init__(TerminalPrinter())
        self.is_ending = Event()
        for name, command in commands(environ, address).items():
            # The shell gives way to the process, so that honcho's signals and exit codes are those of the process.
            line = f"exec {shlex.join(command)}"
            self.add_process(name, line, env={**environ, "PYTHONUNBUFFERED": "1"}, cwd=str(PROJECT))

    def terminate(self) -> None:
        """End both. honcho fails at that before it knows their numbers; then the watcher asks again."""
        self.is_ending.set()
        if self._all_started():
            super().terminate()

    @property
    def was_told_to_end(self) -> bool:
        """Tell, after the loop, whether a signal ended it."""
        return self.returncode in {known["rc"] for known in SIGNALS.values()}


def commands(environ: Mapping[str, str], address: Address) -> dict[str, list[str]]:
    """Return the command of each process."""
    where = [f"--host={address.host}", f"--port={address.port}", f"--workers={environ.get('WEB_WORKERS') or '1'}"]
    return {
        "web": [sys.executable, "-m", "uvicorn", "chatproject.asgi:application", *where, *UVICORN],
        "jobs": manage("procrastinate", "worker", f"--shutdown-graceful-timeout={GRACE_SECONDS}"),
    }


def manage(*words: str) -> list[str]:
    """Return one of the project's management commands."""
    return [sys.executable, str(PROJECT / "manage.py"), *words]
