"""The sandbox of the examining program: what the program can't do, whichever user the server runs as."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import get_commands
from django.db import connection

from messaging.media.sanitizer import runner
from messaging.media.sanitizer.sandbox import MEASURES

IS_ROOT = os.geteuid() == 0
ORDINARY = 54_321
"""A user without rights, as whom the server may run as well."""
USERS = [0, pytest.param(ORDINARY, marks=pytest.mark.skipif(not IS_ROOT, reason="only root can become others"))]
ALLOWED = "read its source"
# Which measures, any of them, keep the program from each.
KEPT_BY = {
    "read the keys": {"Landlock", "own user"},
    "read the environment of the server": {"Landlock", "own user"},
    "list a folder": {"Landlock"},
    "write elsewhere": {"Landlock"},
    "write beside": {"Landlock", "own user"},
    "connect to a unix socket": {"seccomp"},
    "connect to the database": {"seccomp", "own user"},
    "connect to a port": {"seccomp", "network namespace", "Landlock"},
    "send a datagram": {"seccomp", "network namespace"},
    "start a process": {"seccomp"},
    "start a program": {"seccomp", "Landlock"},
    "signal the server": {"seccomp", "own user"},
}
Probe = Callable[..., dict[str, Any]]


@pytest.fixture
def probe(db: None) -> Iterator[Probe]:
    """Run the probe; it finds keys, sockets and a folder that whoever it runs as could use."""
    with ExitStack() as opened:
        port = opened.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        aside = Path(opened.enter_context(TemporaryDirectory()))
        listener = opened.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(aside / "socket"))
        listener.listen()
        info = connection.get_connection_params()
        database = f"{info.get('host')}/.s.PGSQL.{info.get('port') or 5432}"

        def run(user: int, *, is_confined: bool = True) -> dict[str, Any]:
            folder = Path(opened.enter_context(TemporaryDirectory()))
            (aside / "keys").write_text("secret")
            (aside / "open").mkdir(exist_ok=True)
            for name in ("source", "copy", "thumbnail"):
                (folder / name).write_bytes(b"x")
            if user:
                for path in (folder, *folder.iterdir(), aside, *aside.iterdir()):
                    os.chown(path, user, user)
            words = [str(folder), str(aside), str(port), database, str(user), str(int(is_confined))]
            done = subprocess.run(
                [sys.executable, "-m", "tests.support.probe", *words],
                cwd=runner.ROOT,
                env=runner.ENVIRONMENT,
                stdout=subprocess.PIPE,
                timeout=60,
                check=True,
            )
            told: dict[str, Any] = json.loads(done.stdout)
            return told

        yield run


@pytest.mark.parametrize("user", USERS)
def test_it_reads_its_source_and_reaches_nothing_else(probe: Probe, user: int) -> None:
    told = probe(user)
    active = {name for name, is_active in told["measures"].items() if is_active}
    kept = {name for name, measures in KEPT_BY.items() if measures & active}
    assert {name for name in kept if told["done"][name]} == set()
    assert told["done"][ALLOWED]
    if kept != KEPT_BY.keys():
        pytest.skip(f"this system has only {sorted(active)}")


def test_without_its_sandbox_it_would_reach_all_of_that(probe: Probe) -> None:
    done = probe(0, is_confined=False)["done"]
    # The process above may be another user's, in whose environment nobody but root may look.
    assert {name for name, works in done.items() if not works} <= {"connect to the database"}


@pytest.mark.skipif(not IS_ROOT, reason="only root can become others")
def test_as_root_it_runs_as_a_user_of_its_own(probe: Probe) -> None:
    first, second = probe(0), probe(0)
    assert first["measures"]["own user"]
    assert len({0, first["user"], second["user"]}) == 3


def test_what_confines_it_is_known() -> None:
    known = runner.measures()
    assert known.keys() == set(MEASURES)
    assert known["own user"] == IS_ROOT
    assert known["limits"] == (sys.platform != "darwin")


def test_whoever_runs_the_server_reads_what_confines_it_and_what_does_not(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "; not on this system: " in runner.describe_measures()
    assert get_commands()["procrastinate"] == "messaging"
    monkeypatch.setattr("messaging.media.sanitizer.runner.PROGRAM", (sys.executable, "-c", "raise SystemExit(1)"))
    missing = ", ".join(MEASURES)
    assert runner.describe_measures() == f"files are examined with: nothing; not on this system: {missing}"
    found = [each.id for each in run_checks(include_deployment_checks=True)]
    assert found.count("parley.W007") == 3
