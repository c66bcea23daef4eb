"""The sandbox of the sanitizer: while it decodes uploads it may read one file and write two, and nothing else.

It confines itself once all its code is loaded, which may be where only root can read it.
"""

import os
import resource
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import sample

from messaging.media.sanitizer import landlock, linux, seccomp

SOURCE, COPY, THUMBNAIL = Path("source"), Path("copy"), Path("thumbnail")
"""The files of an examination, in its folder; all of them exist before it starts."""
WRITABLE = landlock.READ | landlock.WRITE | landlock.TRUNCATE
RIGHTS = {SOURCE: landlock.READ, COPY: WRITABLE, THUMBNAIL: WRITABLE}
ASK_MEASURES = "measures"
"""The argument instead of a type that asks which measures confine the program."""
MEASURES = ("limits", "own user", "network namespace", "Landlock", "seccomp")

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 120
OPEN_FILES = 64
PROCESSORS = 4
"""A limit, so that decoders start few threads, each with its own memory, on machines with many processors."""
THREADS = 64
FIRST_USER = 0x7000_0000
"""User ids above this one are not in use, so that this plus a process id belongs to nobody."""
NOBODY = 65534

ATTRIBUTES = {linux.PARENT_DEATH_SIGNAL: signal.SIGKILL, linux.DUMPABLE: 0, linux.NO_NEW_PRIVILEGES: 1}
"""The program ends with the server, nobody may read its memory, and programs that it starts get no more rights."""


def confine(folder: Path, *, max_bytes: int) -> dict[str, bool]:
    """Give up all rights that an examination in this folder does not need; return which measures took effect.

    `max_bytes` is the largest size of each file that is written. A measure that this system lacks is skipped.
    """
    os.chdir(folder)
    measures = dict.fromkeys(MEASURES, False) | {"limits": _limit(max_bytes)}
    if sys.platform == "linux":
        measures |= _confine_on_linux()
    else:
        # Allow no more processes. On Linux this would also count threads, and other processes of the same user.
        _try(partial(resource.setrlimit, resource.RLIMIT_NPROC, (0, 0)))
    return measures


def _try(measure: Callable[[], None]) -> bool:
    """Apply a measure; tell whether this system has it."""
    try:
        measure()
    except (OSError, ValueError):
        return False
    return True


def _limit(max_bytes: int) -> bool:
    """Limit memory, time and file sizes. The kernel ends a program that exceeds them."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: max_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    # Not all systems have all of them: macOS can't limit memory.
    missing = [which for which, limit in limits.items() if not _try(partial(resource.setrlimit, which, (limit, limit)))]
    return not missing


def _confine_on_linux() -> dict[str, bool]:
    # If memory runs out, the kernel ends this process rather than the server.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(OSError):
        known = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, sample(known, min(len(known), PROCESSORS)))
    has_namespace = _try(partial(linux.unshare, linux.NEW_NETWORK | linux.NEW_IPC))
    has_user = os.geteuid() == 0 and any(_try(partial(_become, user)) for user in (FIRST_USER + os.getpid(), NOBODY))
    # After the change of user, which resets some of them.
    for attribute, value in ATTRIBUTES.items():
        _try(partial(linux.prctl, attribute, value))
    return {
        "network namespace": has_namespace,
        "own user": has_user,
        "Landlock": _try(partial(landlock.restrict_access, RIGHTS)),
        "seccomp": _try(seccomp.restrict_calls),
    }


def _become(user: int) -> None:
    """Run as a user who owns only the files of this examination, and can't create files in its folder."""
    Path().chmod(stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
    for path in RIGHTS:
        os.chown(path, user, user)
    resource.setrlimit(resource.RLIMIT_NPROC, (THREADS, THREADS))
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
