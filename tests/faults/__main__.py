"""`python -m tests.faults`: one run of the fault suite on engines and servers of its own.

Exit code 0 only if nothing was lost, doubled, out of order or otherwise wrong, and enough happened to prove it.
"""

import argparse
import asyncio
import secrets
import signal
import sys
from pathlib import Path

import uvloop

from tests.faults.cluster import running_site
from tests.faults.run import SHORT_PLAN, full_plan, run


def main(words: list[str]) -> int:
    """Run once, print the table."""
    said = read_words(words)
    print(f"seed {said.seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = SHORT_PLAN if said.short else full_plan(said.seconds)
    with running_site(said.folder) as site, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(run(site, plan, said.seed))
    print(report.table())
    if said.json:
        report.write(said.json)
    return 0 if report.passed else 1


def read_words(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=200, help="how long the nemesis is at work (200)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="any number; one by chance")
    parser.add_argument("--short", action="store_true", help="every fault once, in some 20 seconds")
    parser.add_argument("--folder", type=Path, help="keep databases and logs here; a new folder for every run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON, too")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
