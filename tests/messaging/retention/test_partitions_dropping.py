"""Old partitions: dropped when nobody may read them any more, without blocking anyone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

import messaging.retention.partitions
from conversations.models import Conversation
from messaging.jobs import keep_partitions
from messaging.models import Message
from messaging.retention.partitions import (
    PARENTS,
    all_partitions,
    drop_old_partitions,
    due_partitions,
    make_partitions,
    name_of,
    partitions,
    weeks_ahead,
)
from tests.messaging.weeks import SOME_MONDAY, WEEK, dumping, fill_old_week
from tests.support.together import another_connection

OLD, OLDER = name_of(SOME_MONDAY), name_of(SOME_MONDAY - WEEK)
ALL_OLD, ALL_OLDER = (sorted(name_of(week, parent) for parent in PARENTS) for week in (SOME_MONDAY, SOME_MONDAY - WEEK))
ALL = sorted([*ALL_OLD, *ALL_OLDER])
ITS_TIME = SOME_MONDAY + WEEK + timedelta(days=97)


@pytest.fixture(autouse=True)
def old_weeks(committed: None) -> Iterator[None]:
    """Two weeks of long ago, for as long as the test lasts."""
    make_partitions(now=SOME_MONDAY, behind=1, ahead=0)
    yield
    drop_old_partitions()
    assert there() == set()


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Let a drop give up sooner than it does by itself, where it is known to meet with someone who stays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messaging.retention.partitions, "LOCK_TIMEOUT", "500ms")
        yield


def there() -> set[str]:
    """The old weeks that are still there in some form."""
    return {partition.name for partition in all_partitions()} & {*ALL}


def state_of(name: str) -> tuple[bool, bool]:
    """Whether a week is attached, and whether it is half detached."""
    [found] = [partition for partition in all_partitions() if partition.name == name]
    return found.attached, found.detaching


def test_a_partition_is_dropped_97_days_after_its_end_and_not_earlier() -> None:
    moment = timedelta(microseconds=1)
    assert drop_old_partitions(now=ITS_TIME - WEEK - moment) == []
    assert drop_old_partitions(now=ITS_TIME - moment) == ALL_OLDER
    assert drop_old_partitions(now=ITS_TIME) == ALL_OLD
    assert there() == set()


def test_partitions_that_may_be_read_stay() -> None:
    before = partitions() - {*ALL}
    assert drop_old_partitions() == ALL
    assert partitions() == before
    assert weeks_ahead() == 4


def test_the_hourly_job_makes_missing_partitions_and_drops_due_ones() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {max(partitions())}")
    keep_partitions(timestamp=0)
    assert weeks_ahead() == 4
    assert there() == set()


def test_a_partition_in_use_by_a_long_dump_is_dropped_after_it() -> None:
    with another_connection() as dump:
        dumping(dump)
        with in_a_hurry():
            assert drop_old_partitions() == []
        assert state_of(OLDER) == (True, True)
        assert dump.execute("SELECT count(*) FROM messaging_message_2024w04").fetchone() == (0,)
    assert drop_old_partitions() == ALL


def test_a_query_under_way_reads_its_partition_to_the_end(conversation: Conversation) -> None:
    fill_old_week(conversation, 1000)
    drop_old_partitions(now=ITS_TIME - WEEK)
    with another_connection() as reading, reading.cursor(name="slow") as cursor:
        cursor.execute("SELECT id FROM messaging_message")
        assert len(cursor.fetchmany(10)) == 10
        with in_a_hurry():
            assert drop_old_partitions() == []
        assert state_of(OLD) == (True, True)
        assert Message.objects.count() == 0
        assert len(cursor.fetchall()) == 990


def test_partitions_are_made_while_another_is_half_detached() -> None:
    made = [name_of(SOME_MONDAY + 2 * WEEK, parent) for parent in PARENTS]
    with another_connection() as dump:
        dumping(dump)
        with in_a_hurry():
            drop_old_partitions()
        assert make_partitions(now=SOME_MONDAY + 2 * WEEK, behind=0, ahead=0) == made
    assert drop_old_partitions() == sorted([*ALL, *made])


def test_a_detached_partition_is_dropped_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE messaging_message DETACH PARTITION {OLD}")
    assert state_of(OLD) == (False, False)
    assert drop_old_partitions() == ALL


def test_only_one_process_drops_partitions_at_a_time() -> None:
    with another_connection() as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('messaging_message dropping'))")
        assert drop_old_partitions() == []


def test_the_database_clock_decides() -> None:
    assert {partition.name for partition in due_partitions()} == {*ALL}
    assert due_partitions(now=SOME_MONDAY) == []


def test_the_command_lists_makes_and_drops() -> None:
    listed = said("partitions")
    assert f"{OLD}    2024-01-29 2024-02-05" in listed
    assert listed.count("past its time") == len(ALL)
    assert listed.count("ahead") == 4 * len(PARENTS)
    assert "all weeks ahead are there" in said("partitions", "make")
    assert said("partitions", "drop").splitlines() == [*(f"dropped {name}" for name in ALL), "no week is past its time"]


def test_the_command_lists_what_it_could_not_drop() -> None:
    with another_connection() as dump:
        dumping(dump)
        with in_a_hurry():
            assert f"left {OLDER}: something has it in use" in said("partitions", "drop")
        assert "half detached" in said("partitions")


def said(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()
