"""What is left of the application when a run was killed. (Engines are taken over, see `Process.find`.)"""

import multiprocessing
from contextlib import suppress

import psutil

from .folder import Folder

# In the environment of everything that we start for a folder, the engines excepted, and of whatever that starts.
MARK = "PARLEY_RUN"
FORK = ["-m", "chatproject.embedded"]


def end_leftovers(folder: Folder) -> None:
    """End every process of the application that a run on this folder started, our own run included."""
    for fork in multiprocessing.active_children():
        fork.kill()
    left = [process for process in psutil.process_iter(["environ"]) if is_marked(process, folder)]
    left += [parent for process in left if (parent := fork_above(process))]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=5)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def is_marked(process: psutil.Process, folder: Folder) -> bool:
    """Tell whether a process is the folder's; those of other people do not even let us look."""
    return bool((process.info["environ"] or {}).get(MARK) == str(folder.path))


def fork_above(process: psutil.Process) -> psutil.Process | None:
    """Return the fork of a killed run that still waits for what this process says."""
    with suppress(psutil.Error):
        parent = process.parent()
        if parent and parent.cmdline()[1:] == FORK:
            return parent
    return None
