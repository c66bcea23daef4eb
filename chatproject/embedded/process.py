"""One child process: in a session of its own, remembered by a file, so that a later run can find it."""

import os
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

    def __init__(self, name: str, *, pid_file: Path) -> None:
        self.name = name
        self._pid_file = pid_file
        self._child: subprocess.Popen[bytes] | None = None
        self._process: psutil.Process | None = None

    @property
    def exit_code(self) -> int | None:
        """Return how our child ended; None while it runs, and for one that a former run started."""
        return self._child.poll() if self._child else None

    def is_running(self) -> bool:
        """Tell whether the process lives; a zombie does not."""
        if self._child:
            return self._child.poll() is None
        if not self._process:
            return False
        try:
            return bool(self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def find(self) -> bool:
        """Take over what a former run left running; the start time tells it from a stranger with the same number."""
        if self.is_running():
            return True
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            pid, started = self._pid_file.read_text().split()
            process = psutil.Process(int(pid))
            if abs(process.create_time() - float(started)) < 1:
                self._child, self._process = None, process
        return self.is_running()

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        place: Path | None = None,
        user: pwd.struct_passwd | None = None,
    ) -> None:
        """Start the command; its words go to the log, or to our terminal when there is none."""
        output = log.open("ab") if log else None
        try:
            self._child = subprocess.Popen(  # noqa: S603 (our own commands, no shell)
                [str(part) for part in command],
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                cwd=place,
                start_new_session=True,
                **become(user),
            )
        finally:
            if output:
                output.close()
        self._remember(self._child.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process alone."""
        if self.is_running() and self._process:
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
        self._kill_session()
        self._pid_file.unlink(missing_ok=True)

    def _remember(self, pid: int) -> None:
        with suppress(psutil.NoSuchProcess):
            self._process = psutil.Process(pid)
            self._pid_file.write_text(f"{pid} {self._process.create_time()}\n")

    def _kill_all(self) -> None:
        with suppress(psutil.NoSuchProcess):
            if self._process:
                for process in [*self._process.children(recursive=True), self._process]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()

    def _kill_session(self) -> None:
        """End workers that outlived their parent; they share its process group."""
        if self._child:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
