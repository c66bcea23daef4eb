"""Real servers for the tests: uvicorn and daphne, as processes of their own, on the test database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
from django.db import connection
from psycopg.conninfo import make_conninfo

from chatproject.embedded.application import APPLICATION, web_command
from chatproject.embedded.ports import choose_ports

ROOT = Path(__file__).resolve().parents[2]
RUNNING: list["Server"] = []
"""The servers of this test process that run now, whichever test uses them."""


def free_port() -> int:
    """Find a port that nobody is given as the near end of a connection while the server is not there."""
    return choose_ports(1)[0]


def command(kind: str, port: int, app: str) -> list[str]:
    """The command line of a server of a kind."""
    if kind == "daphne":
        return [
            sys.executable,
            "-m",
            "daphne",
            "-v0",
            "-b",
            "127.0.0.1",
            "-p",
            str(port),
            app,
        ]
    return web_command(os.environ, host="127.0.0.1", port=port, application=app)


def environment() -> dict[str, str]:
    """The environment of a server on the database that the tests use at this moment.

    Tests ask more than any person does; rate limits have tests of their own.
    """
    wanted = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
    return {"CHAT_LIMITS": "off", **os.environ, "DATABASE_URL": wanted}


class Server:
    """A server process and where it listens."""

    def __init__(self, kind: str, app: str = APPLICATION, log: IO[bytes] | None = None) -> None:
        self.kind = kind
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._app = app
        self._log = log
        self.start()

    def start(self) -> None:
        """Start it, or start it again where it was."""
        words = command(self.kind, self.port, self._app)
        environ = environment() | {"SITE_URL": self.url}
        self.process = subprocess.Popen(words, env=environ, cwd=ROOT, stdout=self._log, stderr=self._log)

    def wait(self, seconds: float = 40) -> "Server":
        """Wait until it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"{self.kind} ended by itself"
            try:
                httpx.get(f"{self.url}/healthz")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return self
        raise TimeoutError(f"{self.kind} does not answer")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(kind: str = "uvicorn", *, app: str = APPLICATION, log: IO[bytes] | None = None) -> Iterator[Server]:
    """A server for as long as the block lasts; what it says goes into `log`, if one is given."""
    server = Server(kind, app, log)
    RUNNING.append(server)
    try:
        yield server.wait()
    finally:
        RUNNING.remove(server)
        server.stop()
