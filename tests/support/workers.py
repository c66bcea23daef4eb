"""A pytest plugin: distributes the tests among the workers of one run (`pytest -n 3`) and isolates some of them.

A test that is marked `alone` inspects or disturbs a whole engine: it runs while no other worker runs a test.
"""

import fcntl
import os
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from chatproject.embedded.data_folder import DataFolder
from tests.support.engines import WORKER


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    return WholeFiles(config, log)


SLOW = ("tests/faults/", "tests/load/", "tests/browser/", "tests/embedded/", "tests/doors/")
"""Folders whose files take longest, each with few tests."""


class WholeFiles(LoadFileScheduling):
    """Gives a worker all the tests of a file, in their order: they share servers and worlds."""

    def schedule(self) -> None:
        """Hand out slow files first, so that no worker begins one when the others have nothing left to do."""
        is_first_call = self.collection is None
        super().schedule()
        if is_first_call:
            self.workqueue = OrderedDict(sorted(self.workqueue.items(), key=lambda unit: _rank(unit[0])))

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Accept collections whose tests differ only in their parameters: each worker makes ids of its own."""
        known = next(iter(self.registered_collections.values()), collection)
        super().add_node_collection(node, known if functions(known) == functions(collection) else collection)


def _rank(file: str) -> int:
    return next((rank for rank, folder in enumerate(SLOW) if file.startswith(folder)), len(SLOW))


def functions(collection: Sequence[str]) -> list[str]:
    return [name.partition("[")[0] for name in collection]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Wait for the turn of a test before its setup, and its timeout, begin."""
    if WORKER not in os.environ:
        return (yield)
    with turn(DataFolder.of(os.environ).subfolder("run"), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def turn(place: Path, *, alone: bool) -> Iterator[None]:
    """Run while others run, or alone; no test that starts later overtakes one that waits to be alone."""
    with (place / "tests-running").open("a") as running:
        with (place / "tests-waiting").open("a") as waiting:
            fcntl.flock(waiting, fcntl.LOCK_EX)
            fcntl.flock(running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
