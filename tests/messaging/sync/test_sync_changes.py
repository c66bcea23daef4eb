"""What changed in a conversation after a version, as its reader may see it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from conversations import groups
from conversations.models import Conversation
from messaging.messages import edit, reactions
from messaging.messages.json import MessageJSON
from messaging.models import Message
from messaging.sync.changes import ChangesPage, changes
from tests.messaging.helpers import fill, say
from tests.support.together import another_connection, on_own_connection, until_blocked


def changed(by: User, conversation: Conversation, after: int, **asked: Any) -> ChangesPage:
    return changes(by=by, conversation_id=conversation.pk, after=after, **asked)


def seen(part: ChangesPage) -> list[tuple[int, int]]:
    return [(message["version"], message["position"]) for message in part.items["messages"]]


def message_at(position: int) -> UUID:
    return Message.objects.get(position=position).pk


@pytest.fixture
def altered(conversation: Conversation, alice: User, bob: User) -> Conversation:
    """Six messages by bob; the second is edited, the fourth deleted, and the first gets a reaction."""
    fill(conversation, bob, 6)
    edit.edit_message(by=bob, message_id=message_at(2), text="two")
    edit.delete_message(by=bob, message_id=message_at(4))
    reactions.add_reaction(by=alice, message_id=message_at(1), emoji="👍")
    return conversation


EVERYTHING = [(3, 3), (5, 5), (6, 6), (7, 2), (8, 4), (9, 1)]


@pytest.mark.parametrize(
    ("after", "limit", "shown", "following"),
    [
        pytest.param(0, 50, EVERYTHING, None, id="everything"),
        pytest.param(0, 6, EVERYTHING, None, id="just everything"),
        pytest.param(0, 4, EVERYTHING[:4], 7, id="the first of them"),
        pytest.param(7, 4, EVERYTHING[4:], None, id="the rest"),
        pytest.param(4, 1, [(5, 5)], 5, id="one"),
        pytest.param(5, 50, EVERYTHING[2:], None, id="from the middle"),
        pytest.param(8, 50, [(9, 1)], None, id="the last"),
        pytest.param(9, 50, [], None, id="nothing new"),
        pytest.param(99, 50, [], None, id="what is to come"),
    ],
)
def test_what_changed_comes_in_the_order_of_versions(
    after: int, limit: int, shown: list[Any], following: int | None, altered: Conversation, alice: User
) -> None:
    part = changed(alice, altered, after, limit=limit)
    assert seen(part) == shown
    assert (part.next, part.has_more) == (following, following is not None)
    assert part.items["conversation"]["version"] == 9


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_paging_shows_every_change_once(limit: int, altered: Conversation, alice: User) -> None:
    found, after, has_more = [], 0, True
    while has_more:
        part = changed(alice, altered, after, limit=limit)
        found, after, has_more = found + seen(part), part.next, part.has_more  # type: ignore[assignment]
    assert found == EVERYTHING


def test_everything_is_shown_as_it_is_now(altered: Conversation, alice: User) -> None:
    shown: dict[int, MessageJSON] = {m["position"]: m for m in changed(alice, altered, 6).items["messages"]}
    assert (shown[2]["text"], shown[4]["text"]) == ("two", "")
    assert shown[4]["deleted_at"]
    assert shown[1]["reactions"] == [{"emoji": "👍", "user_ids": [str(alice.pk)], "count": 1}]


def test_changes_of_the_group_itself_are_in_its_conversation(group: Conversation, alice: User, mallory: User) -> None:
    groups.update_group(by=alice, conversation_id=group.pk, description="All that grows")
    groups.add_members(by=alice, conversation_id=group.pk, users=[mallory])
    part = changed(alice, group, 1)
    assert [message["notice"]["event"] for message in part.items["messages"] if message["notice"]] == ["joined"]
    shown = part.items["conversation"]
    assert (shown["version"], shown["description"], shown["participant_count"]) == (4, "All that grows", 4)


def test_a_newcomer_is_shown_no_earlier_messages(group: Conversation, alice: User, mallory: User) -> None:
    before = say(alice, group, "before")
    groups.add_members(by=alice, conversation_id=group.pk, users=[mallory])
    edit.edit_message(by=alice, message_id=UUID(before["id"]), text="secret")
    say(alice, group, "after")
    part = changed(mallory, group, 0)
    assert seen(part) == [(4, 4), (6, 6)]
    assert "secret" not in str(part.items["messages"])
    assert part.items["conversation"]["version"] == 6


def test_strangers_and_those_who_left_are_shown_nothing(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    for by in (bob, mallory):
        with pytest.raises(Conversation.DoesNotExist):
            changed(by, group, 0)


def test_messages_past_their_time_are_not_shown(altered: Conversation, alice: User) -> None:
    Message.objects.filter(position__in=[1, 3]).update(created_at=timezone.now() - timedelta(days=91))
    assert seen(changed(alice, altered, 0)) == [(5, 5), (6, 6), (7, 2), (8, 4)]


def test_it_costs_the_same_however_much_has_changed(
    django_assert_num_queries: DjangoAssertNumQueries, altered: Conversation, alice: User
) -> None:
    for limit in (3, 50):
        with django_assert_num_queries(13):
            changed(alice, altered, 5, limit=limit)


def test_messages_and_conversation_are_of_one_moment(committed: None, group: Conversation, alice: User) -> None:
    say(alice, group, "before")
    with another_connection() as other, ThreadPoolExecutor(1) as pool:
        # The reader has begun its transaction and waits, while the conversation continues.
        other.execute("LOCK TABLE conversations_participant IN ACCESS EXCLUSIVE MODE")
        asked = pool.submit(on_own_connection, lambda: changed(alice, group, 0))
        until_blocked()
        other.execute("UPDATE conversations_conversation SET version = version + 1, name = 'Orchard'")
        other.execute("UPDATE messaging_message SET version = 3 WHERE position = 2")
        other.commit()
        part = asked.result()
    assert seen(part) == [(1, 1), (2, 2)]
    assert (part.items["conversation"]["version"], part.items["conversation"]["name"]) == (2, "Garden")
