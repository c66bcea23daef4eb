"""Entries go when every follower has seen them, or when they are a week old."""

import psycopg
import pytest
from django.db import connection
from django.db.models import F

from chatproject.core.database import connection_parameters
from conversations.change_log import trimming
from conversations.change_log.delays import delays
from conversations.change_log.follower import step
from conversations.change_log.trimming import ENTRIES_KEPT, trim, trim_some
from conversations.models import ChangeLogEntry, Conversation, FollowerMark
from tests.conversations.change_log.recorder import Recorder, is_whole
from tests.support.together import ended_together

pytestmark = pytest.mark.usefixtures("committed")


def bump(conversation: Conversation) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(version=F("version") + 1)


def make_a_week_old() -> None:
    with connection.cursor() as cursor:
        age = ENTRIES_KEPT.total_seconds() + 1
        cursor.execute("UPDATE conversations_changelogentry SET at = at - make_interval(secs => %s)", [age])


def test_what_all_have_seen_goes(recorder: Recorder, group: Conversation) -> None:
    slower = Recorder("slower")
    recorder.catch_up()
    slower.catch_up()
    bump(group)
    recorder.catch_up()
    trim()
    assert ChangeLogEntry.objects.count() == 1
    slower.catch_up()
    bump(group)
    recorder.catch_up()
    slower.catch_up()
    trim()
    assert not ChangeLogEntry.objects.exists()


def test_without_a_follower_nothing_is_kept(group: Conversation) -> None:
    assert ChangeLogEntry.objects.exists()
    trim()
    assert not ChangeLogEntry.objects.exists()


def test_a_part_of_it_can_be_deleted(group: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trimming, "DELETED_AT_ONCE", 2)
    ChangeLogEntry.objects.all().delete()
    for _ in range(3):
        bump(group)
    assert trim_some()
    assert ChangeLogEntry.objects.count() == 1
    assert not trim_some()


def test_an_entry_whose_transaction_is_slow_is_kept(recorder: Recorder, group: Conversation) -> None:
    recorder.catch_up()
    with psycopg.connect(**connection_parameters()) as slow:
        slow.execute("UPDATE conversations_conversation SET version = version + 1 WHERE id = %s", [group.pk])
        bump(Conversation.objects.create(kind="direct", direct_key="x"))
        recorder.catch_up()
        trim()
        slow.commit()
    trim()
    recorder.catch_up()
    assert is_whole(recorder.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


def test_who_has_not_come_for_a_week_rebuilds(recorder: Recorder, group: Conversation) -> None:
    away = Recorder("away")
    recorder.catch_up()
    away.catch_up()
    bump(group)
    recorder.catch_up()
    make_a_week_old()
    trim()
    assert not ChangeLogEntry.objects.exists()
    assert dict(FollowerMark.objects.values_list("name", "mark"))["away"] is None
    bump(group)
    for each in (recorder, away):
        each.catch_up()
        assert is_whole(each.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


def test_a_mark_that_is_being_set_is_waited_for(recorder: Recorder, group: Conversation) -> None:
    """Trimming and a follower's first step run at once, many times: no entry goes that the new mark has not seen."""
    for _ in range(15):
        FollowerMark.objects.update(mark=None)
        calls = ended_together(lambda: step(recorder), trim, lambda: bump(group), lambda: bump(group))
        assert all(call.exception() is None for call in calls)
        recorder.catch_up()
        assert is_whole(recorder.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


def test_the_delay_is_the_age_of_the_oldest_entry_that_is_new(recorder: Recorder, group: Conversation) -> None:
    recorder.catch_up()
    ((name, is_rebuilding, seconds),) = delays(["recorder"])
    assert (name, is_rebuilding, seconds) == ("recorder", False, 0)
    bump(group)
    make_a_week_old()
    bump(group)
    assert delays(["recorder"])[0].seconds > ENTRIES_KEPT.total_seconds()
    recorder.catch_up()
    assert delays(["recorder"])[0].seconds == 0
    FollowerMark.objects.update(mark=None)
    assert delays(["recorder"])[0].is_rebuilding
