"""The inbox: someone's conversations in their order, what each shows, and what the list costs."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from conversations.creation import create_group, start_direct
from conversations.groups import update_group
from conversations.models import Conversation
from messaging.sync.inbox import list_conversations, show_conversation
from tests.messaging.helpers import change_place, remove, say
from tests.messaging.sync.conftest import names


def test_the_latest_comes_first_and_a_new_message_moves_its_conversation_up(
    garden: Callable[[str], Conversation], alice: User, bob: User
) -> None:
    _, _, oldest = [garden(name) for name in "abc"]
    assert names(alice) == ["a", "b", "c"]
    say(bob, oldest)
    assert names(alice) == ["c", "a", "b"]


def test_a_change_without_a_message_moves_no_conversation_up(
    garden: Callable[[str], Conversation], alice: User
) -> None:
    _, older = [garden(name) for name in "ab"]
    update_group(by=alice, conversation_id=older.pk, description="Tomatoes")
    assert names(alice) == ["a", "b"]


def test_pinned_conversations_come_first_and_archived_ones_are_listed_apart(
    garden: Callable[[str], Conversation], alice: User, bob: User
) -> None:
    groups = {name: garden(name) for name in "abcde"}
    for name, fields in {"c": {"pinned": True}, "e": {"pinned": True}, "b": {"archived": True}}.items():
        change_place(alice, groups[name], **fields)
    assert names(alice) == ["c", "e", "a", "d"]
    assert names(alice, archived=True) == ["b"]
    assert names(bob) == ["a", "b", "c", "d", "e"]


def test_a_former_member_does_not_see_the_conversation(group: Conversation, bob: User) -> None:
    remove(bob, group)
    assert names(bob) == []
    with pytest.raises(Conversation.DoesNotExist):
        show_conversation(by=bob, conversation_id=group.pk)


def test_a_stranger_is_shown_nothing(conversation: Conversation, mallory: User) -> None:
    assert names(mallory) == []
    with pytest.raises(Conversation.DoesNotExist):
        show_conversation(by=mallory, conversation_id=conversation.pk)


def queries(by: User) -> int:
    with CaptureQueriesContext(connection) as captured:
        list_conversations(by=by)
    return len(captured)


def test_the_list_costs_the_same_however_many_conversations_there_are(
    person: Callable[[str], User], alice: User, bob: User
) -> None:
    costs = []
    for n in range(8):
        conversation, _ = start_direct(by=alice, to=person(f"guest{n}"))
        say(alice, conversation)
        say(alice, create_group(by=alice, name=f"{n}", participants=[bob]))
        costs.append(queries(alice))
    assert costs == [costs[0]] * 8


def test_the_list_costs_the_same_however_many_large_groups_there_are(crowd: list[User], alice: User) -> None:
    create_group(by=alice, name="One", participants=crowd)
    cost = queries(alice)
    for name in ("Two", "Three"):
        create_group(by=alice, name=name, participants=crowd)
    assert queries(alice) == cost


@pytest.fixture
def crowd(alice: User) -> list[User]:
    """A hundred people: with alice one more than a conversation shows."""
    return User.objects.bulk_create(User(username=f"guest{n}") for n in range(100))


def test_a_direct_conversation_is_called_what_the_other_is_called(
    conversation: Conversation, alice: User, bob: User
) -> None:
    assert (names(alice), names(bob)) == (["Bob"], ["Alice"])


def test_a_group_shows_its_people_and_who_owns_it(group: Conversation, bob: User) -> None:
    shown = show_conversation(by=bob, conversation_id=group.pk)
    roles = {each["user"]["username"]: each["role"] for each in shown["participants"]}
    assert roles == {"alice": "owner", "bob": "member", "carol": "member"}
    assert (shown["participant_count"], shown["me"]["role"]) == (3, "member")


def test_up_to_a_hundred_people_are_listed_and_more_are_counted(crowd: list[User], alice: User) -> None:
    hundred, larger = (create_group(by=alice, name="Crowd", participants=some) for some in (crowd[1:], crowd))
    shown = show_conversation(by=alice, conversation_id=hundred.pk)
    assert (shown["participant_count"], len(shown["participants"])) == (100, 100)
    shown = show_conversation(by=alice, conversation_id=larger.pk)
    assert shown["participant_count"] == 101
    assert "participants" not in shown
