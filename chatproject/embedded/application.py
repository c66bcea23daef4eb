"""The application's own processes, the web server and the jobs, in honcho's hands."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from honcho.manager import SIGNALS, Manager

from .address import Address
from .folder import PROJECT
from .signals import Signals

# Less than the 5 seconds after which honcho ends by force what outlives its companion.
GRACE_SECONDS = 3
APPLICATION = "chatproject.asgi:application"
UVICORN = (
    "--ws=chatproject.server.websocket:ChatSocket",
    "--ws-per-message-deflate=false",
    "--ws-max-size=1048576",
    "--loop=uvloop",
    "--http=chatproject.server.http:ChatHttp",
    "--lifespan=on",
    "--no-access-log",
    "--no-server-header",
    "--no-proxy-headers",
    f"--timeout-graceful-shutdown={GRACE_SECONDS}",
    "--log-level=warning",
)


class Application(Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager, which fails when a signal comes before it knows the numbers of its processes."""

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self._signals = signals

    def terminate(self) -> None:
        """End both, or have the watcher ask again; in a fork of ours, which knows no numbers, do nothing."""
        if self._all_started():
            super().terminate()
        else:
            self._signals.note()

    @property
    def was_told_to_end(self) -> bool:
        return self.returncode in {known["rc"] for known in SIGNALS.values()}


def run_application(environ: Mapping[str, str], address: Address, signals: Signals) -> int | None:
    """Run web and jobs until one of them ends or a signal comes; return None after a signal, else an exit code."""
    application = Application(signals)
    for name, command in commands(environ, address).items():
        # The shell gives way to the process, so that honcho's signals and exit codes are those of the process.
        line = f"exec {shlex.join(command)}"
        application.add_process(name, line, env={**environ, **said_for(environ)}, cwd=str(PROJECT))
    # A closed terminal is more than honcho can take; what it leaves then is ended with the leftovers.
    with suppress(OSError):
        application.loop()
    return None if application.was_told_to_end else application.returncode or 0


def said_for(environ: Mapping[str, str]) -> dict[str, str]:
    """Have the processes say things at once, and in a manner that fits who reads them: honcho is no terminal."""
    manner = environ.get("LOG_FORMAT") or ("text" if sys.stdout.isatty() else "json")
    return {"PYTHONUNBUFFERED": "1", "LOG_FORMAT": manner}


def web(environ: Mapping[str, str], *, host: str, port: int, application: str = APPLICATION) -> list[str]:
    """Return the command of the web server."""
    where = [f"--host={host}", f"--port={port}", f"--workers={environ.get('WEB_WORKERS') or '1'}"]
    return [sys.executable, "-m", "uvicorn", application, *where, *UVICORN]


def commands(environ: Mapping[str, str], address: Address) -> dict[str, list[str]]:
    """Return the command of each process."""
    return {
        "web": web(environ, host=address.host, port=address.port),
        "jobs": manage("jobs", f"--shutdown-graceful-timeout={GRACE_SECONDS}"),
        **relay(environ, address),
    }


def relay(environ: Mapping[str, str], address: Address) -> dict[str, list[str]]:
    """Return the command by which other machines reach a storage that listens here alone, if they are to."""
    storage, reached = (urlsplit(environ.get(name, "")) for name in ("S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL"))
    if not address.is_public or reached.port != address.port + 1 or storage.hostname != "127.0.0.1":
        return {}
    words = [address.host, str(address.port + 1), str(storage.port)]
    return {"media": [sys.executable, "-m", "chatproject.embedded.relay", *words]}


def manage(*words: str) -> list[str]:
    """Return one of the project's management commands."""
    return [sys.executable, str(PROJECT / "manage.py"), *words]
