"""The fault suite in short: every kind of fault once; and without one of the parts that keep it whole, it fails.

`make faults` is the long form.
"""

import asyncio
from collections.abc import Iterator

import pytest
import uvloop

from tests.faults.check import PROVOCATIONS, run_all
from tests.faults.cluster import Site, running_site
from tests.faults.journal import AFTER_REMOVAL, LOST, OUT_OF_ORDER
from tests.faults.report import Report
from tests.faults.run import SHORT_PLAN, run

pytestmark = pytest.mark.timeout(300)

SEED = 5
TELLTALE = {"audit": LOST, "gaps": OUT_OF_ORDER, "epochs": AFTER_REMOVAL, "repeats": LOST}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture(scope="module")
def broken(site: Site) -> dict[str, Report]:
    """What came of each server that lacks a part."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run_all(site, SEED))


def test_nothing_is_lost_or_doubled_whatever_fails(site: Site) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(site, SHORT_PLAN, SEED))
    assert report.passed, report.table()


@pytest.mark.parametrize("part", PROVOCATIONS)
def test_without_a_part_it_fails(broken: dict[str, Report], part: str) -> None:
    assert broken[part].counts[TELLTALE[part]], broken[part].table()
