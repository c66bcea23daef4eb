"""One engine's process: in a session of its own, remembered by a file, so that a later run can find it."""

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
    user: int
    group: int
    extra_groups: list[int]


def become(user: pwd.struct_passwd | None) -> Identity:
    """Return what makes a child run as that user and with none of our groups."""
    return Identity(user=user.pw_uid, group=user.pw_gid, extra_groups=[]) if user else Identity()


class Process:
    """A child in its own session: a Ctrl-C in the terminal does not reach it, only we do."""

    def __init__(self, *, pid_file: Path) -> None:
        self._pid_file = pid_file
        self._process: psutil.Process | None = None

    def is_running(self) -> bool:
        """Tell whether the process lives; a zombie does not."""
        if isinstance(self._process, psutil.Popen):
            return self._process.poll() is None
        with suppress(psutil.NoSuchProcess):
            return bool(self._process and self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE)
        return False

    def find(self) -> bool:
        """Take over what a former run left running; the start time tells it from a stranger with the same number."""
        if self.is_running():
            return True
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            pid, started = self._pid_file.read_text().split()
            process = psutil.Process(int(pid))
            if abs(process.create_time() - float(started)) < 1:
                self._process = process
        return self.is_running()

    def command(self) -> list[str]:
        """Return the words with which the process was started; none if it is gone."""
        with suppress(psutil.Error):
            return list(self._process.cmdline()) if self._process else []
        return []

    def spawn(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        place: Path | None = None,
        user: pwd.struct_passwd | None = None,
    ) -> None:
        """Start the command; its words go to the log."""
        with log.open("ab") as output:
            self._process = psutil.Popen(
                command,
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=place,
                start_new_session=True,
                **become(user),
            )
        with suppress(psutil.NoSuchProcess):
            self._pid_file.write_text(f"{self._process.pid} {self._process.create_time()}\n")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        if self._process and self.is_running():
            with suppress(psutil.NoSuchProcess):
                self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait until the process is gone; False if it is still there after that time."""
        deadline = time.monotonic() + seconds
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(PAUSE)
        return not self.is_running()

    def end(self, seconds: float) -> None:
        """Wait for a process that was asked to stop, then end it and all it started by force."""
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
