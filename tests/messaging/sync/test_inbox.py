"""The conversations of one person, as that person sees them."""

import random
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from chatproject.core.pagination import BadCursor, write_cursor
from conversations.creation import create_group, start_direct
from conversations.groups import update_group
from conversations.models import Conversation, Participant
from conversations.personal_settings import update_settings
from messaging.models import Message
from messaging.receipts.commands import mark_read
from messaging.sync.changes import sync
from messaging.sync.inbox import list_conversations, show_conversation
from tests.messaging.helpers import change_place, fill, remove, say, seat

NOW = timezone.now()


@pytest.fixture
def garden(alice: User, bob: User) -> Callable[[str], Conversation]:
    """Make groups of alice and bob, each changed a minute before the one made before it."""
    minutes = count()

    def make(name: str) -> Conversation:
        group = create_group(by=alice, name=name, participants=[bob])
        active_at(group, NOW - timedelta(minutes=next(minutes)))
        return group

    return make


def active_at(conversation: Conversation, moment: Any) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(active_at=moment)


def names(by: User, **asked: Any) -> list[str]:
    return [shown["name"] for shown in list_conversations(by=by, **asked).items]


def unread(by: User, conversation: Conversation) -> int:
    return int(show_conversation(by=by, conversation_id=conversation.pk)["me"]["unread_count"])


# What is unread


@pytest.mark.parametrize(("said", "shown"), [(0, 0), (1, 1), (99, 99), (100, 100), (101, 100), (150, 100)])
def test_unread_is_exact_to_99_and_100_means_that_or_more(
    said: int, shown: int, conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, said)
    assert unread(alice, conversation) == shown
    assert unread(bob, conversation) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "notice"},
        {"deleted_at": NOW},
        {"created_at": NOW - timedelta(days=91)},
    ],
    ids=["a notice", "deleted", "past its time"],
)
def test_what_does_not_count_is_not_unread(
    fields: dict[str, Any], conversation: Conversation, alice: User, bob: User
) -> None:
    fill(conversation, bob, 3)
    Message.objects.filter(position=2).update(**fields)
    assert unread(alice, conversation) == 2


def test_ones_own_words_are_never_unread(conversation: Conversation, alice: User, bob: User) -> None:
    say(bob, conversation)
    say(alice, conversation)
    say(bob, conversation)
    assert unread(alice, conversation) == 2


def test_reading_counts_down_to_where_one_has_read(conversation: Conversation, alice: User, bob: User) -> None:
    fill(conversation, bob, 5)
    mark_read(by=alice, conversation_id=conversation.pk, through=3)
    assert unread(alice, conversation) == 2
    mark_read(by=alice, conversation_id=conversation.pk, through=5)
    assert unread(alice, conversation) == 0


def test_nothing_from_before_one_came_is_unread_or_shown(group: Conversation, alice: User, mallory: User) -> None:
    say(alice, group, "before")
    seat(mallory, group)
    change_place(mallory, group, read_through=0)
    shown = show_conversation(by=mallory, conversation_id=group.pk)
    assert (shown["me"]["unread_count"], shown["last_message"]) == (0, None)
    assert say(alice, group, "after") == show_conversation(by=mallory, conversation_id=group.pk)["last_message"]
    assert unread(mallory, group) == 1


# The list


def test_the_latest_comes_first_and_a_new_message_brings_up_its_conversation(
    garden: Callable[[str], Conversation], alice: User, bob: User
) -> None:
    _, _, oldest = [garden(name) for name in "abc"]
    assert names(alice) == ["a", "b", "c"]
    say(bob, oldest)
    assert names(alice) == ["c", "a", "b"]


def test_a_change_that_says_nothing_new_brings_nothing_up(garden: Callable[[str], Conversation], alice: User) -> None:
    _, older = [garden(name) for name in "ab"]
    update_group(by=alice, conversation_id=older.pk, description="Tomatoes")
    assert names(alice) == ["a", "b"]


def test_pinned_ones_come_before_the_others_and_archived_ones_stand_apart(
    garden: Callable[[str], Conversation], alice: User, bob: User
) -> None:
    groups = {name: garden(name) for name in "abcde"}
    for name, fields in {"c": {"pinned": True}, "e": {"pinned": True}, "b": {"archived": True}}.items():
        change_place(alice, groups[name], **fields)
    assert names(alice) == ["c", "e", "a", "d"]
    assert names(alice, archived=True) == ["b"]
    assert names(bob) == ["a", "b", "c", "d", "e"]


def test_who_has_left_does_not_see_it_any_more(group: Conversation, bob: User) -> None:
    remove(bob, group)
    assert names(bob) == []
    with pytest.raises(Conversation.DoesNotExist):
        show_conversation(by=bob, conversation_id=group.pk)


def test_a_stranger_is_shown_nothing(conversation: Conversation, mallory: User) -> None:
    assert names(mallory) == []
    with pytest.raises(Conversation.DoesNotExist):
        show_conversation(by=mallory, conversation_id=conversation.pk)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_follow_each_other_without_gaps_or_doubles(
    limit: int, garden: Callable[[str], Conversation], alice: User
) -> None:
    groups = [garden(name) for name in "abcdefgh"]
    for group in groups[2:6]:
        active_at(group, NOW - timedelta(hours=1))
    for group in groups[4:7]:
        change_place(alice, group, pinned=True)
    seen, cursor, has_more = [], None, True
    while has_more:
        page = list_conversations(by=alice, limit=limit, cursor=cursor)
        assert len(page.items) == limit or not page.has_more
        seen += [shown["name"] for shown in page.items]
        cursor, has_more = page.next, page.has_more
    assert cursor is None
    assert seen == names(alice)
    assert (sorted(seen[:3]), sorted(seen)) == (["e", "f", "g"], [*"abcdefgh"])


def test_a_page_goes_on_where_the_last_ended_although_something_moved_up(
    garden: Callable[[str], Conversation], alice: User, bob: User
) -> None:
    groups = [garden(name) for name in "abcd"]
    first = list_conversations(by=alice, limit=2)
    say(bob, groups[3])
    assert names(alice, cursor=first.next) == ["c"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cursor: cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
        lambda cursor: "x" + cursor,
        lambda _: "1",
        lambda _: "\0",
        lambda _: write_cursor([False, NOW.isoformat(), "1"], salt="another list"),
    ],
    ids=["altered", "longer", "a number", "NUL", "of another list"],
)
def test_a_cursor_that_is_not_ours_is_refused(
    spoil: Callable[[str], str], garden: Callable[[str], Conversation], alice: User
) -> None:
    garden("a"), garden("b")
    cursor = list_conversations(by=alice, limit=1).next
    with pytest.raises(BadCursor):
        list_conversations(by=alice, cursor=spoil(str(cursor)))


# What it costs


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


# One conversation


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


# Paging while things move


def collect(by: User, act: Callable[[], None]) -> dict[str, Any]:
    """Read the list page by page, as a device does that lets something happen between any two pages."""
    seen: dict[str, Any] = {}
    cursor: str | None = None
    while True:
        page = list_conversations(by=by, limit=3, cursor=cursor)
        seen |= {shown["id"]: shown for shown in page.items}
        if not page.has_more:
            return seen
        cursor = str(page.next)
        act()


@pytest.mark.parametrize("seed", range(4))
def test_what_moves_out_of_the_pages_of_the_list_is_what_sync_returns(
    seed: int, committed: None, garden: Callable[[str], Conversation], alice: User, bob: User
) -> None:
    chance = random.Random(seed)
    groups = [garden(f"Group {number}") for number in range(12)]

    def act() -> None:
        one = chance.choice(groups)
        if chance.random() < 0.5:
            say(bob, one, "Hi")
        else:
            update_settings(by=alice, conversation_id=one.pk, pinned=chance.random() < 0.5)

    # A round of the sync looks back over a minute: what was made for this test lies further back.
    long_ago = NOW - timedelta(hours=1)
    Conversation.objects.update(changed_at=long_ago)
    Participant.objects.update(changed_at=long_ago)
    cursor = write_cursor([str(timezone.now()), str(timezone.now()), None], salt=f"sync {alice.pk}")
    seen = collect(alice, act)
    told = {shown["id"]: shown for shown in sync(by=alice, cursor=cursor).items["conversations"]}
    assert len(told) < len(groups)
    fresh = {shown["id"]: shown for shown in list_conversations(by=alice).items}
    assert seen | told == fresh
