"""Whatever transactions do, a follower sees every change once: a random test, with a seed for each run."""

from collections.abc import Sequence
from contextlib import ExitStack
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import OperationalError, connection

from chatproject.core.database import connection_parameters
from chatproject.core.ids import uuid7
from conversations.change_log import follower as steps
from conversations.change_log.follower import step
from conversations.change_log.trimming import trim
from conversations.models import Conversation, FollowerMark
from tests.conversations.change_log.recorder import Died, Recorder, is_deleted, is_whole

pytestmark = pytest.mark.usefixtures("committed")

INSERT = """
INSERT INTO conversations_conversation
    (id, kind, direct_key, name, description, history, version, epoch, last_position, created_at, changed_at, active_at)
VALUES (%s, 'direct', %s, '', '', 'joined', %s, 0, 0, now(), now(), now())
"""
BUMP = "UPDATE conversations_conversation SET version = version + %s WHERE id = ANY(%s)"


class Writer:
    """A connection of some server that changes conversations, in transactions of any length."""

    def __init__(self, rng: Random, opened: ExitStack) -> None:
        self._rng = rng
        self._connection = opened.enter_context(psycopg.connect(**connection_parameters()))
        self._connection.execute("SET lock_timeout = 1")
        self._connection.commit()

    def act(self) -> None:
        """Do something; give up the transaction if a row is locked by another writer."""
        try:
            self._rng.choice([self._bump, self._bump, self._bump, self._bump_and_take_back, self._make, self._delete])()
            self._rng.choice([self._connection.commit, self._connection.commit, self._connection.rollback, int, int])()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            self._connection.rollback()

    def finish(self) -> None:
        self._rng.choice([self._connection.commit, self._connection.rollback])()

    def _bump(self) -> None:
        self._connection.execute(BUMP, [self._rng.randint(0, 3), self._some()])

    def _bump_and_take_back(self) -> None:
        with self._connection.transaction() as savepoint:
            self._bump()
            self._rng.choice([int, lambda: _roll_back(savepoint)])()

    def _make(self) -> None:
        id = uuid7()
        self._connection.execute(INSERT, [id, str(id), self._rng.randint(0, 2)])

    def _delete(self) -> None:
        self._connection.execute("DELETE FROM conversations_conversation WHERE id = ANY(%s)", [self._some()[:1]])

    def _some(self) -> Sequence[UUID]:
        found = self._connection.execute("SELECT id FROM conversations_conversation ORDER BY id").fetchall()
        return [id for (id,) in self._rng.sample(found, min(len(found), self._rng.randint(1, 3)))]


def _roll_back(savepoint: Any) -> None:
    raise psycopg.Rollback(savepoint)


class Watcher:
    """The follower, which is killed in the middle of things now and then."""

    def __init__(self, rng: Random, recorder: Recorder) -> None:
        self._rng = rng
        self._recorder = recorder

    def act(self) -> None:
        what = self._rng.random()
        if what < 0.1:
            trim()
        elif what < 0.12:
            FollowerMark.objects.update(mark=None)
        else:
            self._step(dies=what < 0.4)

    def _step(self, *, dies: bool) -> None:
        self._recorder.is_dying = dies
        try:
            step(self._recorder)
        except (Died, OperationalError):
            connection.close()
        self._recorder.is_dying = False


@pytest.mark.parametrize("seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(8, 120))])
def test_every_change_comes_once(recorder: Recorder, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = Random(seed)
    monkeypatch.setattr(steps, "ENTRIES_AT_ONCE", rng.choice([1, 3, 1000]))
    monkeypatch.setattr(steps, "VERSIONS_AT_ONCE", rng.choice([2, 1000]))
    monkeypatch.setattr(steps, "CONVERSATIONS_AT_ONCE", rng.choice([1, 3]))
    with ExitStack() as opened:
        writers = [Writer(rng, opened) for _ in range(4)]
        watcher = Watcher(rng, recorder)
        for _ in range(150):
            rng.choice([*writers, *writers, watcher]).act()
        for writer in writers:
            writer.finish()
    recorder.catch_up()
    recorded, versions = recorder.recorded(), dict(Conversation.objects.values_list("pk", "version"))
    for id, version in versions.items():
        assert is_whole(recorded.get(id, []), version), (id, recorded.get(id), version)
    for id in recorded.keys() - versions.keys():
        assert is_deleted(recorded[id]), (id, recorded[id])
