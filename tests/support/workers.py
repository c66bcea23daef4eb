"""A pytest plugin: how workers of one run (`pytest -n 2`) share the tests, and stay out of each other's way.

A test that is marked `alone` looks at a whole engine, or disturbs it: it runs while no other worker runs a test.
"""

import fcntl
import os
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


class WholeFiles(LoadFileScheduling):
    """Gives a worker all the tests of a file, in their order: they share servers and worlds."""

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Take tests for the same ones if only what they are given differs: ids that each worker has minted."""
        known = next(iter(self.registered_collections.values()), collection)
        super().add_node_collection(node, known if functions(known) == functions(collection) else collection)


def functions(collection: Sequence[str]) -> list[str]:
    return [name.partition("[")[0] for name in collection]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Wait for our turn before anything of the test begins, its time limit included."""
    if WORKER not in os.environ:
        return (yield)
    with turn(DataFolder.of(os.environ).subfolder("run"), alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def turn(place: Path, *, alone: bool) -> Iterator[None]:
    """Run beside others, or beside nobody; whoever waits to be alone is overtaken by none."""
    with (place / "tests-running").open("a") as running:
        with (place / "tests-waiting").open("a") as waiting:
            fcntl.flock(waiting, fcntl.LOCK_EX)
            fcntl.flock(running, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
