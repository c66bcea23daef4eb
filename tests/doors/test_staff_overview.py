"""The staff's first page: how the place is, in numbers that cost little."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, User
from chatproject.core.redis import redis
from chatproject.staff.charts import HEIGHT, chart
from conversations.change_log.follower import Step, step
from conversations.models import Conversation
from messaging.moderation.message_counts import MessageCounts
from messaging.moderation.overview import DAYS, NewcomersByDay, overview_cache
from messaging.moderation.reports import report_message
from tests.accounts.visitor import Visitor, words
from tests.messaging.helpers import say

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    overview_cache.clear()
    yield
    overview_cache.clear()


@pytest.fixture
def desk(staff: User) -> Visitor:
    return Visitor(staff)


def count_messages() -> None:
    """Do what `manage.py follow` does."""
    while step(MessageCounts()) is Step.MORE:
        pass


def test_it_shows_how_the_place_is(desk: Visitor, alice: User, bob: User, conversation: Conversation) -> None:
    said = [say(bob, conversation, f"Number {n}") for n in range(3)]
    report_message(by=alice, message_id=said[0]["id"], reason="spam")
    count_messages()
    page = words(desk.get("/admin/"))
    for shown in ("People 3", "Open reports 1", "Jobs failed 0", "Connected people 0", "Messages a day", "3 in all"):
        assert shown in page, page


def test_every_bar_stands_in_a_table_too(desk: Visitor, alice: User, bob: User, conversation: Conversation) -> None:
    say(bob, conversation, "Hi")
    page = desk.get("/admin/").content.decode()
    assert page.count("<rect") == 2 * DAYS == len(re.findall(r"<tr>\s*<td>", page))
    assert page.count('role="img"') == page.count('aria-labelledby="chart-') == 2


def test_whoever_looks_is_in_the_audit_log_once(desk: Visitor) -> None:
    for _ in range(3):
        desk.get("/admin/")
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["see_overview"]


def test_it_is_the_staffs_alone(alice: User) -> None:
    answer = Visitor(alice).get("/admin/")
    assert (answer.status_code, "Jobs failed" in answer.content.decode()) == (403, False)


def test_it_counts_once_a_minute(desk: Visitor, alice: User, bob: User, conversation: Conversation) -> None:
    desk.get("/admin/")
    say(bob, conversation, "Hi")
    count_messages()
    with CaptureQueriesContext(connection) as seen:
        page = words(desk.get("/admin/"))
    assert "0 in all" in page
    assert not [each["sql"] for each in seen if '"messaging_message"' in each["sql"]]


def test_it_says_what_is_new_since_the_last_look(
    desk: Visitor, alice: User, bob: User, conversation: Conversation
) -> None:
    assert "when you last looked" not in words(desk.get("/admin/"))
    say(bob, conversation, "Hi")
    count_messages()
    assert "when you last looked: 1 new message, 3 new people, 0 new reports." in words(desk.get("/admin/"))


def test_it_says_when_messages_are_not_counted_yet(desk: Visitor) -> None:
    assert "Messages are being counted anew" in words(desk.get("/admin/"))
    count_messages()
    overview_cache.clear()
    assert "counted anew" not in words(desk.get("/admin/"))


def test_days_gone_by_are_not_counted_again(person: Callable[..., User]) -> None:
    today = timezone.now().astimezone(UTC).date()
    days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    counting = NewcomersByDay()
    person("first")
    assert counting.load(days)[-1] == (today, 1)
    counting._cached[today] = (0, 1)  # its minute is over
    person("second")
    with CaptureQueriesContext(connection) as seen:
        assert counting.load(days)[-1] == (today, 2)
    (asked,) = [each["sql"] for each in seen]
    assert asked.count("-0000-0000-000000000000") == 2  # the two ends of one day


def test_without_redis_it_says_what_nobody_knows(desk: Visitor, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis.cache_clear()
    try:
        page = words(desk.get("/admin/"))
    finally:
        redis.cache_clear()
    assert "Connected people unknown" in page
    assert "People 1" in page


def test_bars_are_as_high_as_their_numbers_and_none_is_lost() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC).date()
    drawn = chart("x", "X", [(day, 0), (day, 1), (day, 500), (day, 1000)])
    assert [bar.height for bar in drawn.bars] == [0, 1, HEIGHT / 2, HEIGHT]
    assert (drawn.total, drawn.most) == (1501, 1000)
    assert chart("x", "X", [(day, 0)]).most == 0


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("messaging/messagestatus", "Message statuses"),
        ("accounts/auditentry", "Audit log"),
        ("accounts/user", "People"),
        ("conversations/invitelink", "Invitation links"),
        ("procrastinate/procrastinatejob", "Jobs"),
    ],
)
def test_lists_are_called_as_people_would(desk: Visitor, path: str, title: str) -> None:
    page = desk.get(f"/admin/{path}/").content.decode()
    assert f"<h1>{title}</h1>" in page
    assert "Messages statuss" not in words(desk.get("/admin/"))
