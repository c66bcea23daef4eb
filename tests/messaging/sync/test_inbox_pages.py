"""The inbox in pages: nothing is missed or doubled while conversations move."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from chatproject.core.pagination import BadCursor, write_cursor
from conversations.models import Conversation, Participant
from conversations.personal_settings import update_settings
from messaging.sync.changes import sync
from messaging.sync.inbox import list_conversations
from tests.messaging.helpers import change_place, say
from tests.messaging.sync.conftest import NOW, active_at, names


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


def test_the_next_page_continues_where_the_last_ended_although_a_conversation_moved_up(
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


def collect(by: User, act: Callable[[], None]) -> dict[str, Any]:
    """Read the list page by page, and call `act` between any two pages."""
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
def test_what_moves_past_the_pages_of_the_list_is_returned_by_sync(
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
