"""Counting messages by following the change log."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import AuditEntry, User
from chatproject.core.ids import first_id_at
from conversations.change_log.follower import Step, step
from conversations.groups import delete_group
from conversations.models import Conversation, FollowerMark
from messaging.messages.edit import delete_message, edit_message
from messaging.models import Message, MessageCount
from messaging.moderation.message_counts import ADD, MessageCounts, counting_lag, messages_by_day, messages_since
from messaging.moderation.overview import news_for
from tests.messaging.helpers import say
from tests.support.ids import minted

pytestmark = pytest.mark.usefixtures("committed")


def count() -> int:
    """Count what is new, and return how many messages are counted in all."""
    while step(MessageCounts()) is Step.MORE:
        pass
    return MessageCount.objects.aggregate(total=Sum("messages"))["total"] or 0


def test_each_message_counts_once(alice: User, bob: User, conversation: Conversation) -> None:
    first = say(alice, conversation, "One")
    assert count() == 1
    say(bob, conversation, "Two")
    edit_message(by=alice, message_id=UUID(first["id"]), text="One, mended")
    assert count() == 2
    delete_message(by=alice, message_id=UUID(first["id"]))
    assert count() == 2


def test_counting_anew_gives_the_same(alice: User, group: Conversation, conversation: Conversation) -> None:
    for n in range(5):
        say(alice, (group, conversation)[n % 2], f"Number {n}")
    stored = Message.objects.count()
    assert count() == stored
    FollowerMark.objects.update(mark=None)
    assert count() == stored


def test_what_is_deleted_with_its_group_stays_counted(alice: User, group: Conversation) -> None:
    before = count()
    say(alice, group, "Bye")
    assert count() == before + 1
    delete_group(by=alice, conversation_id=group.pk)
    assert count() == before + 1


def test_a_message_counts_for_the_hour_and_the_day_in_which_it_was_stored(
    alice: User, conversation: Conversation
) -> None:
    say(alice, conversation, "Now")
    now = timezone.now().astimezone(UTC)
    count()
    today = now.date()
    assert messages_by_day([today - timedelta(days=1), today]) == [(today - timedelta(days=1), 0), (today, 1)]
    assert messages_since(now.replace(minute=0, second=0, microsecond=0)) == 1
    assert messages_since(now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)) == 0


def test_a_message_whose_id_is_a_week_old_is_counted(alice: User, conversation: Conversation) -> None:
    """The statement looks at no older weeks than a new message can be in."""
    count()
    id = UUID(minted(-timedelta(days=7) + timedelta(minutes=1)))
    say(alice, conversation, "Written on a train", id=id)
    assert count() == 1


def test_the_overview_knows_how_late_the_counts_are(alice: User, conversation: Conversation) -> None:
    assert counting_lag() is None
    count()
    assert counting_lag() == 0
    say(alice, conversation, "Hi")
    assert 0 < (counting_lag() or 0) < 30


def test_what_is_new_since_the_last_look(staff: User, alice: User, conversation: Conversation) -> None:
    assert news_for(staff) is None
    AuditEntry.objects.create(by=staff, action=AuditEntry.Action.SEE_OVERVIEW)
    say(alice, conversation, "Hi")
    count()
    news = news_for(staff)
    assert news is not None
    assert (news.messages, news.people, news.reports) == (1, 3, 0)
    assert news.since.minute == 0
    assert datetime.now(UTC) - news.since < timedelta(hours=1)


def test_counting_what_is_new_reads_an_index_for_each_change_however_large_a_week_is() -> None:
    values = {"ids": "{}", "after": "{}", "through": "{}", "oldest": first_id_at(timezone.now())}
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (COSTS OFF) " + ADD, values)
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "Nested Loop" in plan
    assert "Hash Join" not in plan
    assert "Merge Join" not in plan
