"""The runner: followers are woken when something is new, and one that fails stops no other."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from statistics import median

import pytest
from django.db import connection
from django.db.models import F

from conversations.change_log import runner
from conversations.change_log.entries import Change
from conversations.change_log.follower import Follower, Step, step
from conversations.change_log.runner import Runner
from conversations.change_log.trimming import ENTRIES_KEPT
from conversations.models import ChangeLogEntry, Conversation
from tests.conversations.change_log.recorder import Recorder, is_whole
from tests.support.backends import backends, end_backends
from tests.support.patience import wait_until
from tests.support.together import on_own_connection

pytestmark = pytest.mark.usefixtures("committed")


class Stopwatch:
    """Notes when a change came."""

    name = "stopwatch"

    def __init__(self) -> None:
        self.times: list[float] = []

    def reset(self) -> None:
        """It keeps nothing in the database."""

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        self.times.append(time.monotonic())


class Broken(Stopwatch):
    """Fails whenever something is new."""

    name = "broken"

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        super().handle(changes, since=since)
        raise ValueError("this follower is broken")


class Slow(Stopwatch):
    """Takes as long for a change as it is told to."""

    name = "slow"

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        super().handle(changes, since=since)
        if since:
            self.may_go_on.wait(10)


@contextmanager
def running(*followers: Follower) -> Iterator[None]:
    all_of_them = Runner(followers)
    thread = threading.Thread(target=lambda: on_own_connection(all_of_them.run))
    thread.start()
    try:
        yield
    finally:
        all_of_them.stop()
        thread.join(10)
        assert not thread.is_alive()


def bump(conversation: Conversation) -> int:
    Conversation.objects.filter(pk=conversation.pk).update(version=F("version") + 1)
    return Conversation.objects.get(pk=conversation.pk).version


def test_a_follower_hears_of_a_change_soon(group: Conversation) -> None:
    watch, waited = Stopwatch(), []
    with running(watch):
        wait_until(lambda: watch.times, within=10)
        for _ in range(8):
            time.sleep(0.4)
            count, began = len(watch.times), time.monotonic()
            bump(group)
            wait_until(lambda: len(watch.times) > count, within=5)  # noqa: B023 (called at once)
            waited.append(watch.times[-1] - began)
    assert median(waited) < 0.4


def test_one_that_fails_stops_no_other_and_tries_again(
    recorder: Recorder, group: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken()
    with running(broken, recorder):
        wait_until(lambda: len(broken.times) > 2, within=10)
        version = bump(group)
        wait_until(lambda: is_whole(recorder.recorded().get(group.pk, []), version), within=10)
    assert "the follower broken failed" in caplog.text


@pytest.fixture
def slow(group: Conversation) -> Iterator[Slow]:
    """Someone who has taken all steps but the next, which ends with the test."""
    slow = Slow()
    while step(slow) is Step.MORE:
        pass
    bump(group)
    try:
        yield slow
    finally:
        slow.may_go_on.set()


def test_trimming_waits_for_nobody_who_is_late_and_takes_a_long_step(
    slow: Slow, group: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TRIM_EVERY", 0.1)
    ChangeLogEntry.objects.update(at=F("at") - ENTRIES_KEPT)
    watch = Stopwatch()
    with running(slow, watch):
        wait_until(lambda: len(slow.times) > 1 and watch.times, within=10)
        time.sleep(0.5)
        count, began = len(watch.times), time.monotonic()
        bump(group)
        wait_until(lambda: len(watch.times) > count, within=10)
        assert watch.times[-1] - began < 1
        slow.may_go_on.set()


def test_a_step_that_takes_too_long_keeps_nothing_from_ending(
    slow: Slow, group: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "GRACE", 0.2)
    with running(slow):
        wait_until(lambda: len(slow.times) > 1, within=10)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_a_lost_connection_is_opened_again(recorder: Recorder, group: Conversation) -> None:
    # All connections of the pool are new then, so that none of another thread is ended.
    connection.close_pool()  # type: ignore[attr-defined] # unknown to the stubs
    before = backends()
    with running(recorder):
        wait_until(lambda: group.pk in recorder.recorded(), within=10)
        assert end_backends(but=before) > 0
        version = bump(group)
        wait_until(lambda: is_whole(recorder.recorded()[group.pk], version), within=15)
