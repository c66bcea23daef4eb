"""Processes of the application that a killed run has left behind. (Engines are adopted, see `Process.adopt`.)"""

import multiprocessing
from contextlib import suppress

import psutil

from .data_folder import DataFolder

# In the environment of every process that we start for a folder, except the engines, and of their children.
MARK = "PARLEY_RUN"
FORK = ["-m", "chatproject.embedded"]


def end_orphans(folder: DataFolder) -> None:
    """End all processes of the application that a run with this folder started, including those of this run."""
    for fork in multiprocessing.active_children():
        fork.kill()
    orphans = [process for process in psutil.process_iter(["environ"]) if is_marked(process, folder)]
    orphans += [parent for process in orphans if (parent := fork_waiting_for(process))]
    for process in orphans:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(orphans, timeout=5)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def is_marked(process: psutil.Process, folder: DataFolder) -> bool:
    """Tell whether a process belongs to the folder; other users' processes do not show their environment."""
    return bool((process.info["environ"] or {}).get(MARK) == str(folder.path))


def fork_waiting_for(process: psutil.Process) -> psutil.Process | None:
    """Return the fork of a killed run that still waits for the output of this process."""
    with suppress(psutil.Error):
        parent = process.parent()
        if parent and parent.cmdline()[1:] == FORK:
            return parent
    return None
