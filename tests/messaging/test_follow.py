"""`manage.py follow` as a process: it counts what is said elsewhere, and nothing is lost when it is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psycopg
import pytest
from django.db.models import Sum
from psycopg.conninfo import make_conninfo

from accounts.models import User
from chatproject.embedded.postgres import bin_folder
from conversations.models import Conversation
from messaging.models import Message, MessageCount
from tests.messaging.helpers import say
from tests.support.patience import wait_until
from tests.support.server import ROOT, environment

TOTAL = "SELECT sum(messages) FROM messaging_messagecount"

pytestmark = pytest.mark.usefixtures("committed")


@contextmanager
def following(**settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "manage.py", "follow"], env=environment() | settings, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def counted() -> int:
    return MessageCount.objects.aggregate(total=Sum("messages"))["total"] or 0


def test_it_counts_what_is_said_and_ends_when_it_is_asked_to(alice: User, conversation: Conversation) -> None:
    with following() as process:
        say(alice, conversation, "One")
        wait_until(lambda: counted() == 1, within=20)
        say(alice, conversation, "Two")
        wait_until(lambda: counted() == 2, within=5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_two_of_them_that_are_killed_at_random_count_every_message_once(
    alice: User, group: Conversation, conversation: Conversation, seed: int
) -> None:
    rng = Random(seed)
    for _ in range(4):
        with following() as one, following():
            for n in range(rng.randint(20, 60)):
                say(alice, (group, conversation)[n % 2], f"Number {n}")
                if rng.random() < 0.03:
                    one.kill()
    with following():
        wait_until(lambda: counted() == Message.objects.count(), within=20)


@contextmanager
def restored_dump() -> Iterator[str]:
    """A second database, restored from a dump of the first; it goes with the block."""
    name, here = f"restored_{os.getpid()}", environment()["DATABASE_URL"]
    there = make_conninfo(here, dbname=name)
    dump = subprocess.run([bin_folder() / "pg_dump", "--dbname", here], check=True, capture_output=True).stdout
    with psycopg.connect(here, autocommit=True) as own:
        own.execute(f"CREATE DATABASE {name}")
        try:
            restore = [bin_folder() / "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", there]
            subprocess.run(restore, input=dump, check=True, stdout=subprocess.DEVNULL)
            yield there
        finally:
            own.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.long
def test_in_a_database_restored_from_a_dump_it_counts_everything_anew(alice: User, conversation: Conversation) -> None:
    with following():
        say(alice, conversation, "One")
        wait_until(lambda: counted() == 1, within=20)
    say(alice, conversation, "Two")
    with restored_dump() as there, psycopg.connect(there, autocommit=True) as copy:
        copy.execute("UPDATE messaging_messagecount SET messages = 999")
        with following(DATABASE_URL=there):
            wait_until(
                lambda: copy.execute("SELECT sum(messages) FROM messaging_messagecount").fetchone() == (2,), within=20
            )
    assert counted() == 1
