"""Followers: each change comes once, together with what the follower writes, and a mark that means nothing rebuilds."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from psycopg import sql

from accounts.models import User
from chatproject.core.database import connection_parameters
from chatproject.core.generation import raise_generation
from conversations.change_log import follower as steps
from conversations.change_log.entries import Change, Unseen, read_unseen
from conversations.change_log.follower import Step, step
from conversations.creation import create_group
from conversations.models import ChangeLogEntry, Conversation, FollowerMark
from tests.conversations.change_log.recorder import Died, Recorder, is_deleted, is_whole
from tests.support.restore import until_noticed
from tests.support.together import together

pytestmark = pytest.mark.usefixtures("committed")


def row_of(recorder: Recorder) -> tuple[str, str]:
    """Return the mark, and the transaction that has written it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mark, xmin::text FROM conversations_followermark WHERE name = %s", [recorder.name])
        found: tuple[str, str] = cursor.fetchone()
    return found


def bump(conversation: Conversation, by: int = 1) -> int:
    """Give a conversation new versions, and return the last."""
    Conversation.objects.filter(pk=conversation.pk).update(version=F("version") + by)
    return Conversation.objects.get(pk=conversation.pk).version


def test_at_rest_a_step_leaves_the_mark_as_it_is(recorder: Recorder, group: Conversation) -> None:
    recorder.catch_up()
    before = row_of(recorder)
    assert step(recorder) is Step.DONE
    assert row_of(recorder) == before


def test_nothing_is_missed_behind_a_long_transaction_and_nothing_waits_for_one(
    recorder: Recorder, group: Conversation, conversation: Conversation
) -> None:
    recorder.catch_up()
    with psycopg.connect(**connection_parameters()) as slow:
        slow.execute("UPDATE conversations_conversation SET version = version + 1 WHERE id = %s", [group.pk])
        version = bump(conversation)
        recorder.catch_up()
        assert is_whole(recorder.recorded()[conversation.pk], version)
        slow.commit()
    recorder.catch_up()
    assert is_whole(recorder.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


class Answering(Recorder):
    """Gives a conversation a new version whenever it handles something, as often as it was told to."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__()
        self.conversation, self.answers = conversation, 0

    def handle(self, changes: Sequence[Change], *, since: datetime | None) -> None:
        super().handle(changes, since=since)
        if self.answers:
            self.answers -= 1
            bump(self.conversation)


@pytest.mark.parametrize("is_rebuilding", [False, True])
def test_what_a_follower_changes_itself_comes_to_it_in_a_later_step(
    recorder: Recorder, group: Conversation, monkeypatch: pytest.MonkeyPatch, is_rebuilding: bool
) -> None:
    def read_after_others_have_begun_and_ended(*args: Any, **options: Any) -> Unseen:
        with psycopg.connect(**connection_parameters(), autocommit=True) as other:
            other.execute("SELECT pg_current_xact_id()")
        return read_unseen(*args, **options)

    monkeypatch.setattr(steps, "read_unseen", read_after_others_have_begun_and_ended)
    answering = Answering(group)
    if not is_rebuilding:
        answering.catch_up()
    answering.answers = 2
    bump(group)
    for _ in range(4):
        answering.catch_up()
    assert answering.answers == 0
    assert is_whole(answering.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


@pytest.mark.parametrize("most", [1, 2, 7])
def test_a_long_backlog_is_read_in_parts(
    recorder: Recorder, group: Conversation, conversation: Conversation, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(steps, "ENTRIES_AT_ONCE", most)
    recorder.catch_up()
    with psycopg.connect(**connection_parameters()) as slow:
        slow.execute("UPDATE conversations_conversation SET version = version + 1 WHERE id = %s", [group.pk])
        version = [bump(conversation) for _ in range(10)][-1]
        assert step(recorder) is Step.MORE
        slow.commit()
    recorder.catch_up()
    assert is_whole(recorder.recorded()[conversation.pk], version)
    assert is_whole(recorder.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


def test_who_dies_in_a_step_takes_it_again(recorder: Recorder, group: Conversation) -> None:
    recorder.catch_up()
    version = bump(group)
    recorder.is_dying = True
    with pytest.raises(Died):
        step(recorder)
    recorder.is_dying = False
    recorder.catch_up()
    assert is_whole(recorder.recorded()[group.pk], version)


def test_two_processes_never_take_a_step_of_one_follower_at_once(recorder: Recorder, group: Conversation) -> None:
    recorder.catch_up()
    version = [bump(group) for _ in range(20)][-1]
    together(*[recorder.catch_up] * 4)
    recorder.catch_up()
    assert is_whole(recorder.recorded()[group.pk], version)
    with psycopg.connect(**connection_parameters()) as other:
        other.execute(steps.LOCK, [recorder.name])
        assert step(recorder) is Step.ELSEWHERE
    assert step(recorder) is Step.DONE


def test_what_changes_while_it_rebuilds_comes_once_too(
    recorder: Recorder, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "VERSIONS_AT_ONCE", 3)
    monkeypatch.setattr(steps, "CONVERSATIONS_AT_ONCE", 2)
    groups = [create_group(by=alice, name=f"Group {n}", participants=[]) for n in range(5)]
    for n, group in enumerate(groups):
        bump(group, by=4 * n)
    steps_taken = 0
    while step(recorder) is Step.MORE:
        steps_taken += 1
        if steps_taken < 40:
            Conversation.objects.filter(pk=groups[steps_taken % 5].pk).update(version=F("version") + 1)
        if steps_taken == 7:
            Conversation.objects.filter(pk=groups[1].pk).delete()
    recorded, versions = recorder.recorded(), dict(Conversation.objects.values_list("pk", "version"))
    assert len(versions) == 4
    assert all(is_whole(recorded[id], version) for id, version in versions.items())
    assert all(is_deleted(recorded[id]) for id in recorded.keys() - versions.keys())


def test_another_generation_rebuilds(recorder: Recorder, group: Conversation) -> None:
    bump(group, by=9)
    recorder.catch_up()
    # As a restore does it: the versions of before come back.
    Conversation.objects.filter(pk=group.pk).update(version=3)
    raise_generation()
    recorder.catch_up()
    version = bump(group)
    recorder.catch_up()
    until_noticed()
    assert version == 4
    assert is_whole(recorder.recorded()[group.pk], version)


@pytest.mark.parametrize("spoilt", [{"origin": "another"}, {"mark": None}])
def test_a_mark_of_another_database_means_nothing(recorder: Recorder, group: Conversation, spoilt: Any) -> None:
    recorder.catch_up()
    # There transactions had higher numbers: such entries would stay new for ever.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE conversations_changelogentry SET xid = '123456789012'")
    FollowerMark.objects.update(**spoilt)
    recorder.catch_up()
    assert not ChangeLogEntry.objects.exists()
    version = bump(group)
    recorder.catch_up()
    assert is_whole(recorder.recorded()[group.pk], version)


def test_without_the_right_to_see_the_cluster_it_follows_too(recorder: Recorder, group: Conversation) -> None:
    """The database's own user, which is no superuser in production, may read what the origin is made of."""
    name = sql.Identifier(f"follower_{os.getpid()}")
    with psycopg.connect(**connection_parameters(), autocommit=True) as own:
        own.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
        try:
            own.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(name))
            own.execute(sql.SQL("SET ROLE {}").format(name))
            assert own.execute(steps.ORIGIN).fetchone()
        finally:
            own.execute("RESET ROLE")
            own.execute(sql.SQL("DROP OWNED BY {}").format(name))
            own.execute(sql.SQL("DROP ROLE {}").format(name))
