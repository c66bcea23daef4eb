"""What a run that was killed leaves behind of the application. (Engines are taken over, see `Process.find`.)"""

import os
from contextlib import suppress

import psutil

from .folder import Folder

# In the environment of everything that we start for a folder, and of whatever that starts.
MARK = "PARLEY_RUN"


def end_leftovers(folder: Folder) -> None:
    """End every process that a run on this folder started, the engines excepted."""
    marked = [process for process in psutil.process_iter(["environ"]) if is_of(folder, process)]
    found = {*marked, *filter(None, map(relay, marked))}
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=5)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def is_of(folder: Folder, process: psutil.Process) -> bool:
    """Tell whether a process carries our mark; other people's processes do not even let us look."""
    return bool((process.info["environ"] or {}).get(MARK) == str(folder.path))


def relay(process: psutil.Process) -> psutil.Process | None:
    """Return honcho's own process that passed on what this one said; it is a fork of the killed run."""
    with suppress(psutil.Error):
        parent = process.parent()
        if parent and parent.pid != os.getpid() and parent.cmdline()[1:] == psutil.Process().cmdline()[1:]:
            return parent
    return None
