"""What runs beside the load: the engines, on a folder of their own, and one web process at a time."""

import os
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from chatproject.embedded.data_folder import PROJECT, DataFolder
from chatproject.embedded.engines import running_engines
from chatproject.embedded.ports import choose_ports

KIB = 1024


@contextmanager
def engines() -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis, empty; give the environment by which they are found. Nothing here needs the storage."""
    without_storage = {"S3_ENDPOINT_URL": "http://127.0.0.1:9"}
    with tempfile.TemporaryDirectory(prefix="parley-load-") as place:
        folder = DataFolder(Path(place))
        with folder.locked(), running_engines(folder, without_storage) as running:
            yield {**without_storage, **running.environment(), "CHAT_VAR": place, "CHAT_LIMITS": "off"}


class Web:
    """A web process, and what it uses."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], port: int, *, cpu: int | None) -> None:
        self.port = port
        self._process = psutil.Popen(command, env={**os.environ, **environ}, cwd=PROJECT)
        if cpu is not None:
            self._process.cpu_affinity([cpu])

    def wait(self, seconds: float = 40) -> None:
        """Wait until it listens."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the web process ended by itself"
            with suppress(ConnectionError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise TimeoutError("the web process does not answer")

    def cpu_seconds(self) -> float:
        """Tell how long it has been computing."""
        return float(sum((spent.user + spent.system for spent in (each.cpu_times() for each in self._all())), 0.0))

    def memory_kib(self) -> float:
        """Tell how much memory is its own: what it shares with others is divided among them."""
        return float(sum(each.memory_full_info().pss for each in self._all())) / KIB

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


@contextmanager
def web(command: Sequence[str], environ: Mapping[str, str], *, port: int, cpu: int | None = None) -> Iterator[Web]:
    """A web process for as long as the block lasts."""
    process = Web(command, environ, port, cpu=cpu)
    try:
        process.wait()
        yield process
    finally:
        process.stop()


def free_port() -> int:
    """Find a port that nobody listens on."""
    return choose_ports(1)[0]


def allow_many_files() -> None:
    """Let this process, and those it starts, have as many sockets as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def cpu_of_us() -> float:
    """Tell how long this process and all that it started have been computing, those that have ended included."""
    us = psutil.Process()
    return sum(sum(each.cpu_times()[:4]) for each in (us, *us.children(recursive=True)))


def cpu_of_machine() -> float:
    """Tell how long the cores have been busy, whoever with."""
    spent = psutil.cpu_times()
    return float(sum(spent) - spent.idle - getattr(spent, "iowait", 0) - getattr(spent, "guest", 0))
