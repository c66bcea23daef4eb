"""The process of an engine: in a session of its own, with a pid file by which a later run can find it."""

import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import psutil

PAUSE = 0.05


class Identity(TypedDict, total=False):
    """Arguments of `Popen` that set the user of a child."""

    user: int
    group: int
    extra_groups: list[int]


def run_as(user: pwd.struct_passwd | None) -> Identity:
    """Return the arguments of `Popen` that make a child run as this user, with none of our groups."""
    return Identity(user=user.pw_uid, group=user.pw_gid, extra_groups=[]) if user else Identity()


class Process:
    """A child in its own session, so that a Ctrl-C in the terminal reaches only us."""

    def __init__(self, *, pid_file: Path) -> None:
        self._pid_file = pid_file
        self._process: psutil.Process | None = None

    def is_running(self) -> bool:
        """Tell whether the process is running; a zombie is not."""
        if isinstance(self._process, psutil.Popen):
            return self._process.poll() is None
        with suppress(psutil.NoSuchProcess):
            return bool(self._process and self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE)
        return False

    def adopt(self) -> bool:
        """Adopt the process that an earlier run left running; its start time tells it from another with the same id."""
        if self.is_running():
            return True
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            pid, started = self._pid_file.read_text().split()
            process = psutil.Process(int(pid))
            if abs(process.create_time() - float(started)) < 1:
                self._process = process
        return self.is_running()

    def command(self) -> list[str]:
        """Return the command line of the process; empty if it has ended."""
        with suppress(psutil.Error):
            return list(self._process.cmdline()) if self._process else []
        return []

    def spawn(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: pwd.struct_passwd | None = None,
    ) -> None:
        """Start the command with its output appended to the log."""
        with log.open("ab") as output:
            self._process = psutil.Popen(
                command,
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                start_new_session=True,
                **run_as(user),
            )
        with suppress(psutil.NoSuchProcess):
            self._pid_file.write_text(f"{self._process.pid} {self._process.create_time()}\n")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, not to its children."""
        if self._process and self.is_running():
            with suppress(psutil.NoSuchProcess):
                self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait until the process has ended; False if it is still running after that time."""
        deadline = time.monotonic() + seconds
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(PAUSE)
        return not self.is_running()

    def end(self, seconds: float) -> None:
        """Wait for a process that was asked to stop; if it takes too long, kill it and its children."""
        if not self.wait(seconds):
            self._kill_all()
            self.wait(5)
        self._pid_file.unlink(missing_ok=True)

    def _kill_all(self) -> None:
        with suppress(psutil.NoSuchProcess):
            if self._process:
                for process in [*self._process.children(recursive=True), self._process]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()
