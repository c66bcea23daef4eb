"""The application's own processes, the web server, the job worker and the followers, run by honcho."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from honcho.manager import SIGNALS, Manager

from chatproject.exposure import Address

from .data_folder import PROJECT
from .signals import Signals

# Less than the 5 seconds after which honcho kills what is still running.
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
    """honcho's manager, without its failure when a signal arrives before it knows the ids of its processes."""

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self._signals = signals

    def terminate(self) -> None:
        """Stop the processes, or let the supervisor ask again; in a fork, which knows no process ids, do nothing."""
        if self._all_started():
            super().terminate()
        else:
            self._signals.request_stop()

    @property
    def was_asked_to_stop(self) -> bool:
        return self.returncode in {known["rc"] for known in SIGNALS.values()}


def run_application(environ: Mapping[str, str], address: Address, signals: Signals) -> int | None:
    """Run the processes until one ends or a signal arrives; return None after a signal, otherwise the exit code."""
    application = Application(signals)
    for name, command in commands(environ, address).items():
        # `exec` replaces the shell, so that signals and exit codes are those of the process itself.
        line = f"exec {shlex.join(command)}"
        application.add_process(name, line, env={**environ, **output_environment(environ)}, cwd=str(PROJECT))
    # honcho fails when the terminal is closed; the processes that it leaves are ended as orphans.
    with suppress(OSError):
        application.loop()
    return None if application.was_asked_to_stop else application.returncode or 0


def output_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables for unbuffered output in the right format: the processes write to honcho, not to a terminal."""
    log_format = environ.get("LOG_FORMAT") or ("text" if sys.stdout.isatty() else "json")
    return {"PYTHONUNBUFFERED": "1", "LOG_FORMAT": log_format}


def web_command(environ: Mapping[str, str], *, host: str, port: int, application: str = APPLICATION) -> list[str]:
    """Return the command line of the web server."""
    options = [f"--host={host}", f"--port={port}", f"--workers={environ.get('WEB_WORKERS') or '1'}"]
    return [sys.executable, "-m", "uvicorn", application, *options, *UVICORN]


def commands(environ: Mapping[str, str], address: Address) -> dict[str, list[str]]:
    """Return the command line of each process, by its name."""
    return {
        "web": web_command(environ, host=address.host, port=address.port),
        "jobs": manage_command("jobs", f"--shutdown-graceful-timeout={GRACE_SECONDS}"),
        "follow": manage_command("follow"),
        **relay_command(environ, address),
    }


def relay_command(environ: Mapping[str, str], address: Address) -> dict[str, list[str]]:
    """Return the command that relays the storage, which listens on loopback only, to other machines if they need it."""
    storage, reached = (urlsplit(environ.get(name, "")) for name in ("S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL"))
    if not address.is_public or reached.port != address.port + 1 or storage.hostname != "127.0.0.1":
        return {}
    arguments = [address.host, str(address.port + 1), str(storage.port)]
    return {"media": [sys.executable, "-m", "chatproject.embedded.storage_relay", *arguments]}


def manage_command(*arguments: str) -> list[str]:
    """Return the command line of a management command."""
    return [sys.executable, str(PROJECT / "manage.py"), *arguments]
