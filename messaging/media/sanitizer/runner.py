"""Starting the examining program, and making something of whatever end it comes to."""

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

from messaging.media.sanitizer.result import DAMAGED, SOUNDS, Finding, Refusal, read_finding
from messaging.media.sanitizer.sandbox import ASK_MEASURES, COPY, MEASURES, SOURCE, THUMBNAIL

logger = logging.getLogger(__name__)


def ignore(seconds: float) -> None:
    """What notes the time of an examination where nobody wants to know."""


ROOT = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-m", "messaging.media.sanitizer")
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
SECONDS = 180
"""After which a file that is still being looked at is refused."""
WORDS_MOST = 16 * 1024
"""Bytes. A finding has less than one kilobyte."""
WRITTEN = 2
"""Files that the program may write."""
LEAST_BYTES = 1024**2
TIME_OVER = -signal.SIGXCPU

GROWN = "A copy of this file would be far larger than the file itself."
SLOW = "This file takes too long to look at."
REASONS = {-signal.SIGXFSZ: GROWN, TIME_OVER: SLOW}
"""By exit code: the kernel ends a program that writes or computes more than it may."""


def examine(content_type: str, folder: Path, *, most: int, note_time: Callable[[float], None] = ignore) -> Finding:
    """Have `source` in a folder examined, and `copy` and perhaps `thumbnail` written there, with `most` bytes each.

    `note_time` is called with the seconds of processor time that it took, whatever came of it.
    Refusal where the bytes are refused, and whatever else becomes of the program. OSError if it could not be started,
    or there is no room for what it writes.
    """
    if disk_usage(folder).free < WRITTEN * most:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    code, words, seconds = _run([content_type, str(folder), str(most)], folder)
    note_time(seconds)
    if code:
        logger.warning("a file could not be looked at: the program ended with %d", code)
        raise Refusal(REASONS.get(code, DAMAGED))
    finding = read_finding(words)
    if finding.content_type not in {content_type, SOUNDS.get(content_type)} or not (folder / COPY).stat().st_size:
        raise Refusal(DAMAGED)
    return finding


def measures() -> dict[str, bool]:
    """Tell by which measures the program is confined on this system; none of them if it does not start."""
    with TemporaryDirectory(prefix="parley-media-") as folder:
        (Path(folder) / SOURCE).touch()
        code, words, _ = _run([ASK_MEASURES, folder, str(LEAST_BYTES)], Path(folder))
    known: dict[str, bool] = dict.fromkeys(MEASURES, False) if code else json.loads(words)
    return known


def described_measures() -> str:
    """Tell in a line for whoever runs the server what confines the program, and what could elsewhere."""
    known = measures()
    active, missing = (", ".join(name for name, has in known.items() if has is wanted) for wanted in (True, False))
    return f"files are examined with: {active or 'nothing'}; not on this system: {missing or 'nothing'}"


def _run(words: Sequence[str], folder: Path) -> tuple[int, bytes, float]:
    """Run the program to its end, or end it; give the exit code, as much of its output as is read, and its seconds."""
    for path in (COPY, THUMBNAIL):
        (folder / path).touch()
    with TemporaryFile(dir=folder) as output:
        process = subprocess.Popen(  # noqa: S603 (words of our own)
            [*PROGRAM, *words],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        code, seconds = _wait(process)
        output.seek(0)
        return code, output.read(WORDS_MOST), seconds


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Wait for the end of the program, or end it; give the exit code and the seconds of processor time."""
    too_late = Event()

    def end() -> None:
        too_late.set()
        process.kill()

    timer = Timer(SECONDS, end)
    timer.start()
    try:
        # `Popen.wait` does not tell what the program took.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
    return TIME_OVER if too_late.is_set() else process.returncode, used.ru_utime + used.ru_stime
