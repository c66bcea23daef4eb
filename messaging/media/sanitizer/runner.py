"""Starts the sanitizer, and turns every end that it can have into a result or a refusal."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Event, Timer

from messaging.media.sanitizer.result import AUDIO_ONLY_TYPES, DAMAGED, ExaminationResult, Refusal, parse_result
from messaging.media.sanitizer.sandbox import ASK_MEASURES, COPY, MEASURES, SOURCE, THUMBNAIL

logger = logging.getLogger(__name__)


def ignore(seconds: float) -> None:
    """Ignore the processor time of an examination."""


ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-m", "messaging.media.sanitizer")
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
SECONDS = 180
"""The time limit of an examination; a file that takes longer is refused."""
MAX_OUTPUT_BYTES = 16 * 1024
"""How much of the output is read; a result has less than one kilobyte."""
WRITTEN_FILES = 2
"""How many files the program may write."""
MEASURES_MAX_BYTES = 1024**2
TIMED_OUT = -signal.SIGXCPU

COPY_TOO_LARGE = "A copy of this file would be far larger than the file itself."
TOO_SLOW = "This file takes too long to look at."
REASONS = {-signal.SIGXFSZ: COPY_TOO_LARGE, TIMED_OUT: TOO_SLOW}
"""The reason by exit code: the kernel ends a program that writes or computes more than it may."""


def examine(
    content_type: str, folder: Path, *, max_bytes: int, note_time: Callable[[float], None] = ignore
) -> ExaminationResult:
    """Examine `source` in a folder; write `copy` and perhaps `thumbnail` there, with at most `max_bytes` each.

    `note_time` is called with the seconds of processor time, whatever the result is.
    Refusal if the file is refused or the program fails in any way. OSError if the program could not be started, or the
    disk has no room for what it may write.
    """
    if disk_usage(folder).free < WRITTEN_FILES * max_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    code, output, seconds = _run([content_type, str(folder), str(max_bytes)], folder)
    note_time(seconds)
    if code:
        logger.warning("a file could not be examined: the sanitizer ended with %d", code)
        raise Refusal(REASONS.get(code, DAMAGED))
    result = parse_result(output)
    if (
        result.content_type not in {content_type, AUDIO_ONLY_TYPES.get(content_type)}
        or not (folder / COPY).stat().st_size
    ):
        raise Refusal(DAMAGED)
    return result


def measures() -> dict[str, bool]:
    """Tell which measures confine the program on this system; none of them if it does not start."""
    with TemporaryDirectory(prefix="parley-media-") as folder:
        (Path(folder) / SOURCE).touch()
        code, output, _ = _run([ASK_MEASURES, folder, str(MEASURES_MAX_BYTES)], Path(folder))
    known: dict[str, bool] = dict.fromkeys(MEASURES, False) if code else json.loads(output)
    return known


def describe_measures() -> str:
    """Describe in one line for operators which measures confine the program, and which this system lacks."""
    known = measures()
    active, missing = (", ".join(name for name, has in known.items() if has is wanted) for wanted in (True, False))
    return f"files are examined with: {active or 'nothing'}; not on this system: {missing or 'nothing'}"


def _run(arguments: Sequence[str], folder: Path) -> tuple[int, bytes, float]:
    """Run the program to its end, or kill it; return the exit code, the output, and the seconds of processor time."""
    for path in (COPY, THUMBNAIL):
        (folder / path).touch()
    with TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(  # noqa: S603 (the arguments are our own)
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        code, seconds = _wait(process)
        output.seek(0)
        return code, output.read(MAX_OUTPUT_BYTES), seconds


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for the end of the program, or kill it; return the exit code and the seconds of processor time."""
    too_late = Event()

    def kill() -> None:
        too_late.set()
        process.kill()

    timer = Timer(SECONDS, kill)
    timer.start()
    try:
        # `Popen.wait` does not return the processor time.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
    return TIMED_OUT if too_late.is_set() else process.returncode, used.ru_utime + used.ru_stime
