"""History and single messages, as their reader may see them."""

from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.models import Conversation
from messaging.models import Message
from messaging.sync.history import direct_history, get_message, history
from tests.messaging.helpers import fill, positions, remove, say, seat

EVERYTHING = [*range(1, 11)]


@pytest.fixture
def ten(conversation: Conversation, bob: User) -> Conversation:
    """A conversation with ten messages by bob."""
    fill(conversation, bob, 10)
    return conversation


@pytest.mark.parametrize(
    ("asked", "shown", "following"),
    [
        pytest.param({"limit": 4}, [7, 8, 9, 10], 7, id="the latest"),
        pytest.param({"limit": 10}, EVERYTHING, None, id="all there is"),
        pytest.param({"limit": 50}, EVERYTHING, None, id="more than there is"),
        pytest.param({"limit": 1}, [10], 10, id="the last"),
        pytest.param({"before": 7, "limit": 4}, [3, 4, 5, 6], 3, id="before"),
        pytest.param({"before": 3, "limit": 4}, [1, 2], None, id="before, to the beginning"),
        pytest.param({"before": 5, "limit": 4}, [1, 2, 3, 4], None, id="before, just to the beginning"),
        pytest.param({"before": 1}, [], None, id="before the beginning"),
        pytest.param({"before": 0}, [], None, id="before nothing"),
        pytest.param({"before": 99, "limit": 2}, [9, 10], 9, id="before what is to come"),
        pytest.param({"after": 3, "limit": 4}, [4, 5, 6, 7], 7, id="after"),
        pytest.param({"after": 0, "limit": 3}, [1, 2, 3], 3, id="after nothing"),
        pytest.param({"after": 8, "limit": 2}, [9, 10], None, id="after, just to the end"),
        pytest.param({"after": 10}, [], None, id="after the end"),
        pytest.param({"after": 99}, [], None, id="after what is to come"),
        pytest.param({"around": 5, "limit": 4}, [3, 4, 5, 6], 9, id="around"),
        pytest.param({"around": 5, "limit": 5}, [3, 4, 5, 6, 7], 10, id="around, an odd number"),
        pytest.param({"around": 1, "limit": 4}, [1, 2, 3, 4], 7, id="around the first"),
        pytest.param({"around": 10, "limit": 4}, [8, 9, 10], None, id="around the last"),
        pytest.param({"around": 99, "limit": 4}, [9, 10], None, id="around what is to come"),
    ],
)
def test_a_page_of_history(
    asked: dict[str, Any], shown: list[int], following: int | None, ten: Conversation, alice: User
) -> None:
    page = history(by=alice, conversation_id=ten.pk, **asked)
    assert positions(page.items) == shown
    assert (page.next, page.has_more) == (following, following is not None)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(("side", "start"), [("before", None), ("before", 99), ("after", 0), ("around", 1)])
def test_paging_shows_everything_once(side: str, start: int | None, limit: int, ten: Conversation, alice: User) -> None:
    Message.objects.filter(position__in=[4, 5]).delete()
    seen: list[int] = []
    for page in islice(_pages(alice, ten, side, start, limit), 20):
        seen += [position for position in positions(page.items) if side != "around" or position not in seen]
    assert sorted(seen) == [1, 2, 3, 6, 7, 8, 9, 10]


def _pages(by: User, conversation: Conversation, side: str, start: int | None, limit: int) -> Any:
    while True:
        page = history(by=by, conversation_id=conversation.pk, limit=limit, **{side: start})
        yield page
        if not page.has_more:
            return
        start = page.next  # type: ignore[assignment]


def test_a_page_costs_two_queries_however_long_it_is(
    django_assert_num_queries: DjangoAssertNumQueries, ten: Conversation, alice: User
) -> None:
    for limit in (1, 10):
        with django_assert_num_queries(2):
            history(by=alice, conversation_id=ten.pk, limit=limit)


def test_a_newcomer_sees_nothing_from_before(group: Conversation, alice: User, mallory: User) -> None:
    before = say(alice, group)
    seat(mallory, group)
    after = say(alice, group)
    for asked in ({}, {"before": 99}, {"after": 0}, {"around": 1}):
        assert history(by=mallory, conversation_id=group.pk, **asked).items == [after]
    assert get_message(by=mallory, message_id=UUID(after["id"])) == after
    with pytest.raises(Message.DoesNotExist):
        get_message(by=mallory, message_id=UUID(before["id"]))


@pytest.mark.parametrize(("days", "is_shown"), [(89.9, True), (90.1, False)])
def test_messages_are_shown_for_ninety_days(days: float, is_shown: bool, ten: Conversation, alice: User) -> None:
    old = Message.objects.get(position=3)
    Message.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=days))
    assert (3 in positions(history(by=alice, conversation_id=ten.pk).items)) is is_shown
    if not is_shown:
        with pytest.raises(Message.DoesNotExist):
            get_message(by=alice, message_id=old.pk)


def test_a_deleted_message_keeps_its_place_and_says_nothing(ten: Conversation, alice: User) -> None:
    Message.objects.filter(position=3).update(deleted_at=timezone.now())
    it = history(by=alice, conversation_id=ten.pk).items[2]
    assert (it["position"], it["text"]) == (3, "")
    assert it["deleted_at"]


def test_strangers_and_those_who_left_read_nothing(group: Conversation, alice: User, bob: User, mallory: User) -> None:
    said = say(alice, group)
    remove(bob, group)
    for user in (bob, mallory):
        with pytest.raises(Conversation.DoesNotExist):
            history(by=user, conversation_id=group.pk)
        with pytest.raises(Message.DoesNotExist):
            get_message(by=user, message_id=UUID(said["id"]))


def test_a_message_that_was_never_sent_is_not_found(alice: User) -> None:
    with pytest.raises(Message.DoesNotExist):
        get_message(by=alice, message_id=uuid7())


def test_the_history_with_a_friend_is_that_of_the_direct_conversation(
    ten: Conversation, alice: User, bob: User
) -> None:
    page = direct_history(by=alice, friend_id=bob.pk, limit=3, before=9)
    assert (positions(page.items), page.next) == ([6, 7, 8], 6)


@pytest.mark.parametrize("who", ["carol", "alice", "nobody"])
def test_with_others_there_is_no_history(who: str, ten: Conversation, alice: User, carol: User) -> None:
    with pytest.raises(Conversation.DoesNotExist):
        direct_history(by=alice, friend_id={"carol": carol.pk, "alice": alice.pk, "nobody": uuid7()}[who])
