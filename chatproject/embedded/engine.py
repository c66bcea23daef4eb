"""What PostgreSQL, Redis and the storage have in common: found or started, answering, asked to stop."""

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from .folder import Folder
from .process import Process


class Engine(ABC):
    """One engine on one folder. The environment's own engine, named by `variable`, makes ours needless."""

    name: ClassVar[str]
    title: ClassVar[str]
    variable: ClassVar[str]
    start_seconds: ClassVar[float] = 20
    stop_seconds: ClassVar[float] = 15
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Folder, keys: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.keys = keys
        self.environ = environ
        self.process = Process(pid_file=folder.pid_file(self.name))
        self._log_start = 0

    @abstractmethod
    def spawn(self) -> None:
        """Start the process; it need not answer yet."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the engine can be used, by using it."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the variables by which the application finds the engine."""

    def may_try_again(self, words: str) -> bool:
        """Tell whether starting anew may help, from what the engine said before it ended."""
        return False

    @property
    def log(self) -> Path:
        return self.folder.log(self.name)

    def launch(self) -> None:
        """Take over a running engine of a former run, or start one."""
        if not self.process.find():
            self._log_start = self.log.stat().st_size if self.log.exists() else 0
            self.spawn()

    def last_words(self) -> str:
        """Return what the engine said since it was started, the end of it."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(self._log_start, self.log.stat().st_size - 4000))
            return file.read().decode(errors="replace").strip()

    def ask_to_stop(self) -> None:
        self.process.signal(self.stop_signal)

    def end(self) -> None:
        """Wait until the engine is gone."""
        self.process.end(self.stop_seconds)
