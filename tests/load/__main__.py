"""The load test: `make bench`, or `python -m tests.load --only pairs`."""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import django

from chatproject.embedded.application import manage_command
from tests.load import processes, report
from tests.load.world import QUICK, Sizes

NAMES = ("pairs", "group", "idle", "missed", "connecting", "reading", "change_log")


def main(words: Sequence[str]) -> int:
    """Measure what is asked for, and show it; 1 if anything was lost, doubled or refused."""
    wanted = arguments(words)
    # Whoever is told to end ends like one that meets Ctrl-C: with its engines stopped.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    processes.allow_many_files()
    with processes.engines() as environ:
        os.environ.update(environ, DJANGO_SETTINGS_MODULE="chatproject.settings")
        subprocess.run(manage_command("prepare"), check=True, stdout=subprocess.DEVNULL)
        django.setup()
        from tests.load.bench import measure

        results = measure(
            only=wanted.only or (),
            sizes=QUICK if wanted.quick else Sizes(),
            cpu=wanted.server_cpu,
            baseline=not wanted.no_baseline,
        )
    print(report.table(results), report.notes(results), json.dumps(results), sep="\n\n")
    if wanted.write:
        report.written(results)
    return int(report.something_went_wrong(results))


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load", description="Put Parley and the usual stack under load."
    )
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--only", choices=NAMES, action="append", help="this scenario alone; may be said again")
    parser.add_argument("--no-baseline", action="store_true", help="leave out the usual stack")
    parser.add_argument("--server-cpu", type=int, metavar="N", help="keep the web process on this core")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
