"""`manage.py follow` as a process: it counts what is said elsewhere, and nothing is lost when it is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from django.db.models import Sum

from accounts.models import User
from conversations.models import Conversation
from messaging.models import Message, MessageCount
from tests.messaging.helpers import say
from tests.support.patience import wait_until
from tests.support.server import ROOT, environment

pytestmark = pytest.mark.usefixtures("committed")


@contextmanager
def following() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "manage.py", "follow"], env=environment(), cwd=ROOT)
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
