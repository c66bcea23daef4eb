"""What PostgreSQL, Redis and the storage have in common: they are adopted or started, checked, and stopped."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from .data_folder import DataFolder
from .process import Process


class Engine(ABC):
    """One engine with its data folder. It is not needed where the environment names another one by `variable`."""

    name: ClassVar[str]
    title: ClassVar[str]
    variable: ClassVar[str]
    start_seconds: ClassVar[float] = 20
    stop_seconds: ClassVar[float] = 15
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: DataFolder, keys: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.keys = keys
        self.environ = environ
        self.process = Process(pid_file=folder.pid_file(self.name))
        self._log_start = 0

    @abstractmethod
    def spawn(self) -> None:
        """Start the process; it does not have to answer yet."""

    @abstractmethod
    def answers(self) -> bool:
        """Use the engine, and tell whether that worked."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the variables by which the application finds the engine."""

    def can_retry(self, log: str) -> bool:
        """Tell from the log of a failed start whether another attempt may succeed."""
        return False

    @property
    def log(self) -> Path:
        return self.folder.log(self.name)

    def launch(self) -> None:
        """Adopt the running engine of an earlier run, or start one."""
        if not self.process.adopt():
            self._log_start = self.log.stat().st_size if self.log.exists() else 0
            self.spawn()

    def recent_log(self) -> str:
        """Return the end of what the engine has logged since its start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(self._log_start, self.log.stat().st_size - 4000))
            return file.read().decode(errors="replace").strip()

    def request_stop(self) -> None:
        self.process.signal(self.stop_signal)

    def end(self) -> None:
        """Wait until the engine has stopped."""
        self.process.end(self.stop_seconds)
