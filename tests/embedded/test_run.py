"""`make run` as a person uses it: it prints its address, and leaves nothing running when it is ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import httpx
import psutil
import psycopg
import pytest

from chatproject.embedded.data_folder import PROJECT
from chatproject.embedded.orphans import MARK
from chatproject.embedded.ports import choose_ports
from chatproject.environment import InvalidSetting, read_variables
from chatproject.exposure import Address

ENGINES = ("DATABASE_URL", "REDIS_URL", "S3_")
KEYS = ("SECRET_KEY", "CHAT_")


class Run:
    """One `python -m chatproject.embedded`, in a group of its own like a terminal's."""

    def __init__(self, folder, *words, with_engines, **settings):
        self.folder = folder
        self.port = int(settings.get("PORT") or choose_ports(1)[0])
        hidden = (*KEYS, *ENGINES) if with_engines else KEYS
        environ = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chatproject.embedded", *words],
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

    def engines(self):
        return {file.stem: int(file.read_text().split()[0]) for file in (self.folder.path / "run").glob("*.pid")}

    def started(self, words):
        """Return the process of the application that was started with these words."""
        (found,) = [process for process in self.left() if words in " ".join(process.info["cmdline"])]
        return found

    def left(self):
        """Return every process that still belongs to the folder."""
        mine = str(self.folder.path)
        everyone = psutil.process_iter(["cmdline", "environ"])
        known = {p: (" ".join(p.info["cmdline"] or []), (p.info["environ"] or {}).get(MARK)) for p in everyone}
        return [p for p, (command, mark) in known.items() if mine in command or mark == mine]

    def answers(self):
        return httpx.get(f"http://127.0.0.1:{self.port}/healthz").status_code == 200


def forget_keys():
    """Forget the keys of earlier runs on the tests' own database: each run makes one of its own."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        if connection.execute("SELECT to_regclass('chatproject_encryptionkey')").fetchone()[0]:
            connection.execute("DELETE FROM chatproject_encryptionkey")


@pytest.fixture
def run(folder):
    runs = []

    def start(*words, with_engines=False, **settings):
        if not with_engines:
            forget_keys()
        runs.append(Run(folder, *words, with_engines=with_engines, **settings))
        return runs[-1]

    yield start
    for one in runs:
        if one.process.poll() is None:
            one.end()
        one.process.stdout.close()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_data_survives_crashes_of_the_engines_and_of_the_program(run, folder):
    first = run(with_engines=True)
    assert f"http://127.0.0.1:{first.port}" in first.read_until("Ctrl-C ends it")
    assert first.answers()
    assert set(first.engines()) == {"postgres", "redis", "storage"}
    keep(folder, 42)

    # No second run can use the folder.
    second = run()
    second.read_until("Another Parley is running")
    assert second.process.wait(10) == 1

    # Crashed engines are restarted at the same addresses, with all committed data.
    for pid in first.engines().values():
        os.kill(pid, signal.SIGKILL)
    first.read_until("is started again")
    wait_until(first.answers)
    wait_until(lambda: kept(folder) == 42)

    # A run that was killed does not block the next, which takes over the engines.
    wait_until(lambda: set(first.engines()) == {"postgres", "redis", "storage"})
    engines = first.engines()
    first.process.kill()
    first.process.wait()
    third = run(with_engines=True, PORT=str(first.port))
    third.read_until("Ctrl-C ends it")
    assert third.engines() == engines

    # When the web server crashes, everything ends, and no process is left.
    third.started("uvicorn").kill()
    third.read_until("ended by itself (exit code -9)")
    assert third.process.wait(30) == 1
    assert third.left() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_site_with_the_demos_people_opens_to_others_once_they_are_removed(run):
    alone = run(with_engines=True, CHAT_DEMO="")
    alone.read_until("password parley-demo")
    alone.end()
    behind_a_proxy = {"BEHIND_TLS": "1", "TRUSTED_PROXIES": "127.0.0.1", "SITE_URL": "https://chat.example"}

    refused = run(with_engines=True, **behind_a_proxy)
    assert "alice, bob, carol, staff" in refused.read_until("make remove-demo")
    refused.read_until("`prepare` failed")
    assert (refused.process.wait(30), refused.left()) == (1, [])

    removing = run("remove_demo", with_engines=True)
    removing.read_until("closed the account staff")
    assert (removing.process.wait(30), removing.left()) == (0, [])

    opened = run(with_engines=True, **behind_a_proxy)
    assert "parley-demo" not in opened.read_until("Ctrl-C ends it")
    assert opened.answers()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_can_be_told_to_end_when_it_has_hardly_begun(run, number):
    one = run()
    one.read_until("started")
    assert one.end(number)[0] == 0
    assert one.left() == []


def keep(folder, number):
    with psycopg.connect(read_variables(folder.path / "environment")["DATABASE_URL"]) as connection:
        connection.execute(f"CREATE TABLE kept AS SELECT {number} AS number")


def kept(folder):
    with psycopg.connect(read_variables(folder.path / "environment")["DATABASE_URL"]) as connection:
        return connection.execute("SELECT number FROM kept").fetchone()[0]


def test_a_port_in_use_is_reported_before_anything_starts(run):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        one = run(PORT=str(other.getsockname()[1]))
        said = one.read_until("choose another one")
    assert "Starting" not in said
    assert one.process.wait(10) == 1


@pytest.mark.parametrize("port", ["web", "0", "70000", "-1"])
def test_a_port_must_be_one(port):
    with pytest.raises(InvalidSetting, match="PORT must be a number"):
        Address.of({"PORT": port})


def wait_until(happened, seconds=20):
    deadline = time.monotonic() + seconds
    while not succeeds(happened):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def succeeds(happened):
    with suppress(psycopg.OperationalError, httpx.TransportError):
        return happened()
