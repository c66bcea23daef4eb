"""`make run` as a person meets it: a program that says where it is, and is gone when it is told to go."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from chatproject.embedded.application import Application
from chatproject.embedded.errors import CannotRun
from chatproject.embedded.folder import PROJECT
from chatproject.embedded.storage import choose_ports

OURS = ("DATABASE_URL", "REDIS_URL", "S3_", "SECRET_KEY", "CHAT_")


class Run:
    """One `python -m chatproject.embedded`, in a group of its own like a terminal's."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.port = int(settings.get("PORT") or choose_ports(1)[0])
        environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatproject.embedded"],
            cwd=PROJECT,
            env={**environ, "CHAT_VAR": str(folder.path), "CHAT_DEMO": "0", "PORT": str(self.port), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def read_until(self, words):
        """Return what was said up to and including a line with these words."""
        said = ""
        for line in self.process.stdout:
            said += line
            if words in line:
                return said
        raise AssertionError(f"never said {words!r}, but:\n{said}")

    def end(self, number=signal.SIGTERM):
        """Send a signal to the whole group, and return the exit code and the rest of what was said."""
        os.killpg(self.process.pid, number)
        said, _ = self.process.communicate(timeout=40)
        return self.process.returncode, said

    def pids(self):
        return {file.stem: int(file.read_text().split()[0]) for file in (self.folder.path / "run").glob("*.pid")}

    def left(self):
        """Return every process that still belongs to the folder."""
        mine = str(self.folder.path)
        return [p for p in psutil.process_iter(["cmdline"]) if mine in " ".join(p.info["cmdline"] or [])]


@pytest.fixture
def run(folder):
    runs = []

    def start(**settings):
        runs.append(Run(folder, **settings))
        return runs[-1]

    yield start
    for one in runs:
        if one.process.poll() is None:
            one.end()
        one.process.stdout.close()


def test_it_answers_and_goes_without_leaving_anything(run):
    one = run()
    one.read_until(f"http://127.0.0.1:{one.port}")
    assert httpx.get(f"http://127.0.0.1:{one.port}/healthz").status_code == 200
    pids = one.pids()
    assert set(pids) == {"postgres", "redis", "storage", "web", "jobs"}
    code, _ = one.end(signal.SIGINT)
    assert code == 0
    assert one.left() == []
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


def test_it_ends_when_the_web_server_ends_by_itself(run):
    one = run()
    one.read_until("Ctrl-C ends it")
    os.kill(one.pids()["web"], signal.SIGKILL)
    assert "The web server ended by itself" in one.read_until("ended by itself")
    assert one.process.wait(40) == 1
    assert one.left() == []


def test_a_killed_run_does_not_stand_in_the_way_of_the_next(run):
    first = run()
    first.read_until("Ctrl-C ends it")
    first.process.kill()
    first.process.wait()
    second = run(PORT=str(first.port))
    second.read_until("Ctrl-C ends it")
    assert second.end(signal.SIGTERM)[0] == 0
    assert second.left() == []


def test_a_fallen_engine_is_started_again(run):
    one = run()
    one.read_until("Ctrl-C ends it")
    fallen = one.pids()["redis"]
    os.kill(fallen, signal.SIGKILL)
    one.read_until("Redis ended by itself and is started again")
    wait_until(lambda: one.pids().get("redis", fallen) != fallen)
    assert httpx.get(f"http://127.0.0.1:{one.port}/healthz").status_code == 200
    assert one.end(signal.SIGHUP)[0] == 0
    assert one.left() == []


def test_a_port_in_use_is_said_before_anything_starts(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        one = run(PORT=str(other.getsockname()[1]))
        said = one.read_until("choose another one")
    assert "Starting" not in said
    assert one.process.wait(10) == 1


@pytest.mark.parametrize("port", ["web", "0", "70000", "-1"])
def test_a_port_must_be_one(folder, port):
    with pytest.raises(CannotRun, match="PORT must be a number"):
        Application(folder, {"PORT": port})


def wait_until(happened, seconds=10):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)
