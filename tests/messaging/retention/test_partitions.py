"""Weekly partitions and how they are made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import User
from chatproject.core.ids import first_id_at, id_time
from conversations.models import Conversation
from messaging.models import Message
from messaging.retention.partitions import PARENTS, make_partitions, monday, name_of, partitions, weeks_ahead
from tests.support.together import another_connection, together

WEEK = timedelta(weeks=1)
FAR = datetime(2031, 1, 1, tzinfo=UTC)
NUMBERS = ("2030w52", "2031w01", "2031w02", "2031w03", "2031w04", "2031w05")
FAR_WEEKS = [f"{parent}_{number}" for parent in PARENTS for number in NUMBERS]


@pytest.mark.usefixtures("db")
def test_there_are_partitions_for_four_weeks_ahead_and_the_one_before() -> None:
    assert weeks_ahead() == 4
    assert name_of(monday(timezone.now()) - WEEK) in partitions()


@pytest.mark.usefixtures("db")
def test_the_partitions_around_a_moment_are_made_once() -> None:
    assert make_partitions(now=FAR) == FAR_WEEKS
    assert make_partitions(now=FAR) == []
    assert make_partitions(now=FAR + WEEK) == [f"{parent}_2031w06" for parent in PARENTS]


@pytest.mark.usefixtures("db")
def test_a_missing_partition_lowers_the_count_of_weeks_ahead() -> None:
    make_partitions(now=FAR, ahead=1)
    make_partitions(now=FAR + 3 * WEEK, behind=0, ahead=0)
    assert weeks_ahead(FAR) == 1
    assert weeks_ahead(FAR + 9 * WEEK) == -1


@pytest.mark.parametrize(
    ("moment", "begins", "name"),
    [
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC), "2026w53"),
        (datetime(2027, 1, 3, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 28, tzinfo=UTC), "2026w53"),
        (datetime(2027, 1, 4, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC), "2027w01"),
        (datetime.fromisoformat("2027-01-04T01:00+02:00"), datetime(2026, 12, 28, tzinfo=UTC), "2026w53"),
        (datetime(2024, 12, 30, 8, tzinfo=UTC), datetime(2024, 12, 30, tzinfo=UTC), "2025w01"),
    ],
)
def test_weeks_begin_on_monday_in_utc_and_have_iso_names(moment: datetime, begins: datetime, name: str) -> None:
    assert monday(moment) == begins
    assert name_of(monday(moment)) == f"messaging_message_{name}"


def store(id: UUID, conversation: Conversation, by: User) -> str:
    """Store a message under an id and tell in which week it lies."""
    Message.objects.create(id=id, conversation=conversation, sender=by, position=1, version=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM messaging_message WHERE id = %s", [id])
        return str(cursor.fetchone()[0])


def test_the_first_and_the_last_id_of_a_week_are_in_its_partition(conversation: Conversation, alice: User) -> None:
    this = monday(timezone.now())
    before, first = UUID(int=first_id_at(this).int - 1), first_id_at(this)
    assert store(before, conversation, alice) == name_of(this - WEEK)
    assert store(first, conversation, alice) == name_of(this)
    assert store(UUID(int=first_id_at(this + WEEK).int - 1), conversation, alice) == name_of(this)
    assert store(first_id_at(this + WEEK), conversation, alice) == name_of(this + WEEK)
    assert id_time(before) < this == id_time(first)


def test_an_id_without_a_partition_is_not_stored(conversation: Conversation, alice: User) -> None:
    with pytest.raises(IntegrityError, match="no partition"):
        store(first_id_at(FAR), conversation, alice)


@pytest.fixture
def far_weeks_are_gone_afterwards(committed: None) -> object:
    yield
    with connection.cursor() as cursor:
        for name in partitions() & set(FAR_WEEKS):
            cursor.execute(f"DROP TABLE {name}")


@pytest.mark.usefixtures("far_weeks_are_gone_afterwards")
def test_two_processes_make_the_partitions_at_once() -> None:
    together(*[lambda: make_partitions(now=FAR)] * 4)
    assert partitions() >= set(FAR_WEEKS)
    assert make_partitions(now=FAR) == []


@pytest.mark.usefixtures("far_weeks_are_gone_afterwards")
def test_partitions_are_made_during_an_append_without_blocking_it(conversation: Conversation, alice: User) -> None:
    with another_connection() as writing:
        append(writing, conversation, alice)
        make_partitions(now=FAR)
        append(writing, conversation, alice)
        writing.commit()
    assert Message.objects.count() == 2


def append(on: "psycopg.Connection[object]", conversation: Conversation, by: User) -> None:
    on.execute(
        "INSERT INTO messaging_message (id, conversation_id, sender_id, position, version, kind) "
        "VALUES (%s, %s, %s, 1, 1, 'text')",
        [Message().pk, conversation.pk, by.pk],
    )
