"""What the examining program may still do while it decodes what strangers made: read one file and write two.

It confines itself once all its code is loaded, which may lie where nobody but root can read it.
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
"""The files of an examination, in its folder, where all of them are from the beginning."""
WRITTEN = landlock.READ | landlock.WRITE | landlock.TRUNCATE
RIGHTS = {SOURCE: landlock.READ, COPY: WRITTEN, THUMBNAIL: WRITTEN}
ASK_MEASURES = "measures"
"""Instead of a type: to tell what confines the program."""
MEASURES = ("limits", "own user", "network namespace", "Landlock", "seccomp")

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 120
OPEN_FILES = 64
PROCESSORS = 4
"""So that decoders start few threads, each with memory of its own, on a machine with many processors."""
THREADS = 64
FIRST_USER = 0x7000_0000
"""User ids above this one belong to nobody: 0x7000_0000 plus the number of a process is in no range in use."""
NOBODY = 65534

ATTRIBUTES = {linux.PARENT_DEATH_SIGNAL: signal.SIGKILL, linux.DUMPABLE: 0, linux.NO_NEW_PRIVILEGES: 1}
"""It ends with the server, nobody looks into its memory, and no program that it started would have more rights."""


def confine(folder: Path, *, most: int) -> dict[str, bool]:
    """Give up all that an examination in this folder does not need; tell which measures this system has.

    `most` is how many bytes each file may have that is written. A measure that is missing is passed over.
    """
    os.chdir(folder)
    measures = dict.fromkeys(MEASURES, False) | {"limits": _limit(most)}
    if sys.platform == "linux":
        measures |= _confine_on_linux()
    else:
        # No more processes. On Linux this would count threads as well, and those that the user has elsewhere.
        _try(partial(resource.setrlimit, resource.RLIMIT_NPROC, (0, 0)))
    return measures


def _try(measure: Callable[[], None]) -> bool:
    """Take a measure; tell whether this system has it."""
    try:
        measure()
    except (OSError, ValueError):
        return False
    return True


def _limit(most: int) -> bool:
    """Bound memory, time and what is written. The kernel ends whoever writes or computes more."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    bounds = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: most,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    # Not all systems have all of them: macOS can't bound memory.
    missing = [which for which, bound in bounds.items() if not _try(partial(resource.setrlimit, which, (bound, bound)))]
    return not missing


def _confine_on_linux() -> dict[str, bool]:
    # If memory runs out, this process goes rather than the server.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    with suppress(OSError):
        known = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, sample(known, min(len(known), PROCESSORS)))
    has_namespace = _try(partial(linux.unshare, linux.NEW_NETWORK | linux.NEW_IPC))
    has_user = os.geteuid() == 0 and any(_try(partial(_become, user)) for user in (FIRST_USER + os.getpid(), NOBODY))
    # Behind the change of user, which resets some of them.
    for attribute, value in ATTRIBUTES.items():
        _try(partial(linux.prctl, attribute, value))
    return {
        "network namespace": has_namespace,
        "own user": has_user,
        "Landlock": _try(partial(landlock.restrict_access, RIGHTS)),
        "seccomp": _try(seccomp.restrict_calls),
    }


def _become(user: int) -> None:
    """Run as a user who owns nothing but the files of this examination, and can't add to its folder."""
    Path().chmod(stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
    for path in RIGHTS:
        os.chown(path, user, user)
    resource.setrlimit(resource.RLIMIT_NPROC, (THREADS, THREADS))
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
