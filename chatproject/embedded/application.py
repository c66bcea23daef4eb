"""The application's own processes: the web server and the jobs."""

import signal
import socket
import sys
import time
from collections.abc import Mapping

from .errors import CannotRun
from .folder import PROJECT, Folder
from .process import PAUSE, Process
from .signals import Signals

# Longer than uvicorn's own patience with open connections.
STOP_SECONDS = 12
UVICORN = (
    "--ws=websockets-sansio",
    "--ws-per-message-deflate=false",
    "--ws-max-size=1048576",
    "--loop=uvloop",
    "--http=httptools",
    "--lifespan=off",
    "--no-access-log",
    "--no-server-header",
    "--timeout-graceful-shutdown=5",
    "--log-level=warning",
)
TITLES = {"web": "The web server", "jobs": "The job worker"}


class Application:
    """Web and jobs. What a former run left behind is ended before anything is started."""

    def __init__(self, folder: Folder, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._processes = {name: Process(name, pid_file=folder.pid_file(name)) for name in TITLES}
        self.host = environ.get("HOST") or "127.0.0.1"
        self.port = port_number(environ.get("PORT") or "8000")

    @property
    def address(self) -> str:
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104 (compared, not listened on)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Tell whether other machines may reach the page."""
        return self.host not in {"127.0.0.1", "::1", "localhost"}

    def end_leftovers(self) -> None:
        """End the web server and the jobs of a run that was killed."""
        for process in self._processes.values():
            process.find()
        self.stop()

    def require_free_port(self) -> None:
        """Refuse to start where another program listens already."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except (OSError, OverflowError) as error:
                raise CannotRun(
                    f"Parley cannot listen on {self.host} port {self.port}: {getattr(error, 'strerror', error)}. "
                    f"If another program uses it, choose another one: make run PORT={self.port + 1}"
                ) from error

    def start(self, environ: Mapping[str, str]) -> None:
        self._processes["web"].spawn(self._web(), env=environ)
        self._processes["jobs"].spawn(manage("procrastinate", "worker"), env=environ)

    def require_running(self) -> None:
        """Raise CannotRun when the web server or the jobs have ended by themselves."""
        for name, process in self._processes.items():
            if not process.is_running():
                raise CannotRun(f"{TITLES[name]} ended by itself (exit code {process.exit_code}), so Parley ends too.")

    def stop(self) -> None:
        """Ask both to stop, and wait until they have."""
        for process in self._processes.values():
            process.signal(signal.SIGTERM)
        for process in self._processes.values():
            process.end(STOP_SECONDS)

    def _web(self) -> list[str]:
        proxies = self._environ.get("TRUSTED_PROXIES")
        trust = ["--proxy-headers", f"--forwarded-allow-ips={proxies}"] if proxies else ["--no-proxy-headers"]
        workers = self._environ.get("WEB_WORKERS") or "1"
        where = [f"--host={self.host}", f"--port={self.port}", f"--workers={workers}"]
        return [sys.executable, "-m", "uvicorn", "chatproject.asgi:application", *where, *UVICORN, *trust]


def run_to_end(name: str, command: list[str], *, folder: Folder, environ: Mapping[str, str], signals: Signals) -> None:
    """Run a command that ends by itself; raise CannotRun when it fails."""
    process = Process(name, pid_file=folder.pid_file(name))
    process.spawn(command, env=environ)
    try:
        while process.is_running():
            signals.check()
            time.sleep(PAUSE)
    finally:
        process.signal(signal.SIGTERM)
        process.end(STOP_SECONDS)
    if process.exit_code:
        raise CannotRun(f"`{name}` failed (exit code {process.exit_code}); what it said stands above.")


def manage(*words: str) -> list[str]:
    """Return one of the project's management commands."""
    return [sys.executable, str(PROJECT / "manage.py"), *words]


def port_number(text: str) -> int:
    """Read the port to listen on."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotRun(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)
