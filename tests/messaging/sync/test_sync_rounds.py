"""`/sync`: what changed for someone since the last time, in rounds of pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from chatproject.core.errors import Gone
from chatproject.core.generation import current_generation
from chatproject.core.pagination import BadCursor
from conversations import groups
from conversations.contacts import blocks, invitations
from conversations.creation import create_group, start_direct
from conversations.models import Conversation, Departure, Participant
from conversations.personal_settings import update_settings
from messaging.messages import edit, reactions
from messaging.receipts.commands import mark_read
from messaging.sync.changes import ChangesPage, SyncRound, sync
from tests.messaging.helpers import say
from tests.support.together import another_connection

LONG = timedelta(minutes=5)


def pass_time() -> None:
    """Move everything that has happened to five minutes ago."""
    for table, column in (
        ("conversations_conversation", "changed_at"),
        ("conversations_participant", "changed_at"),
        ("conversations_departure", "at"),
        ("accounts_user", "contacts_changed_at"),
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = {column} - %s", [LONG])  # noqa: S608


def up_to_date(by: User) -> str:
    """Sync until there is nothing more, then let time pass; return the cursor for the next sync."""
    cursor, has_more = None, True
    while has_more:
        part = sync(by=by, cursor=cursor)
        cursor, has_more = part.next, part.has_more  # type: ignore[assignment]
    pass_time()
    return str(cursor)


def names(part: ChangesPage) -> list[str]:
    return sorted(shown["name"] for shown in part.items["conversations"])


def test_without_a_cursor_it_is_everything_one_is_in(
    group: Conversation, conversation: Conversation, alice: User, bob: User, mallory: User
) -> None:
    groups.leave(by=bob, conversation_id=create_group(by=alice, name="Left", participants=[bob]).pk)
    part = sync(by=bob)
    assert (names(part), part.items["removed"], part.has_more) == (["Alice", "Garden"], [], False)
    assert part.items["contacts_changed"]
    assert part.items["me"]["username"] == "bob"
    assert part.items["me"].keys() >= {"email", "settings"}
    assert sync(by=mallory).items["conversations"] == []


def test_without_changes_there_is_nothing(group: Conversation, conversation: Conversation, bob: User) -> None:
    part = sync(by=bob, cursor=up_to_date(bob))
    assert (part.items["conversations"], part.items["removed"], part.has_more) == ([], [], False)
    assert not part.items["contacts_changed"]


CHANGES: dict[str, Callable[[User, User, Conversation, UUID], Any]] = {
    "a message": lambda alice, bob, group, said: say(alice, group, "Hi"),
    "an edit": lambda alice, bob, group, said: edit.edit_message(by=alice, message_id=said, text="Ho"),
    "a deletion": lambda alice, bob, group, said: edit.delete_message(by=alice, message_id=said),
    "a reaction": lambda alice, bob, group, said: reactions.add_reaction(by=bob, message_id=said, emoji="👍"),
    "a description": lambda alice, bob, group, said: groups.update_group(
        by=alice, conversation_id=group.pk, description="All that grows"
    ),
    "a role": lambda alice, bob, group, said: groups.set_role(
        by=alice, conversation_id=group.pk, user_id=bob.pk, role="admin"
    ),
    "a mark": lambda alice, bob, group, said: mark_read(by=bob, conversation_id=group.pk, through=2),
    "a setting": lambda alice, bob, group, said: update_settings(by=bob, conversation_id=group.pk, pinned=True),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_sync_returns_the_changed_conversation_and_no_other(
    what: str, group: Conversation, conversation: Conversation, alice: User, bob: User
) -> None:
    said = say(alice, group, "Hello")
    say(alice, conversation, "Hello")
    cursor, hers = up_to_date(bob), up_to_date(alice)
    CHANGES[what](alice, bob, group, UUID(said["id"]))
    assert names(sync(by=bob, cursor=cursor)) == ["Garden"]
    assert names(sync(by=alice, cursor=hers)) == ([] if what in {"a mark", "a setting"} else ["Garden"])


def test_reading_nothing_new_is_no_change(group: Conversation, alice: User, bob: User) -> None:
    say(alice, group, "Hello")
    mark_read(by=bob, conversation_id=group.pk, through=2)
    cursor = up_to_date(bob)
    for through in (1, 2, 99):
        mark_read(by=bob, conversation_id=group.pk, through=through)
    assert names(sync(by=bob, cursor=cursor)) == []


def test_an_added_member_receives_the_conversation_and_a_removed_one_learns_of_it(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    left, removed, deleted = (create_group(by=alice, name=name, participants=[bob]) for name in ("L", "R", "D"))
    his, theirs = up_to_date(bob), up_to_date(mallory)
    groups.leave(by=bob, conversation_id=left.pk)
    groups.remove_member(by=alice, conversation_id=removed.pk, user_id=bob.pk)
    gone = deleted.pk
    groups.delete_group(by=alice, conversation_id=deleted.pk)
    groups.add_members(by=alice, conversation_id=group.pk, users=[mallory])
    part = sync(by=bob, cursor=his)
    assert sorted(part.items["removed"]) == sorted(map(str, (left.pk, removed.pk, gone)))
    assert names(part) == ["Garden"]
    part = sync(by=mallory, cursor=theirs)
    assert (names(part), part.items["removed"]) == (["Garden"], [])
    pass_time()
    assert sync(by=bob, cursor=sync(by=bob, cursor=his).next).items["removed"] == []


def test_someone_who_rejoined_is_a_member_and_not_removed(group: Conversation, alice: User, bob: User) -> None:
    cursor = up_to_date(bob)
    groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    groups.add_members(by=alice, conversation_id=group.pk, users=[bob])
    part = sync(by=bob, cursor=cursor)
    assert (names(part), part.items["removed"]) == (["Garden"], [])


# In this order, each with whether alice, bob and carol learn of it.
CONTACTS: dict[str, tuple[Callable[[User, User], Any], list[bool]]] = {
    "invited": (lambda alice, bob: invitations.invite(by=alice, to=bob), [True, True, False]),
    "contacts": (lambda alice, bob: invitations.invite(by=bob, to=alice), [True, True, False]),
    "parted": (lambda alice, bob: invitations.remove_contact(by=alice, other_id=bob.pk), [True, True, False]),
    "blocked": (lambda alice, bob: blocks.block(by=alice, other=bob), [True, False, False]),
    "invited in vain": (lambda alice, bob: invitations.invite(by=bob, to=alice), [False, True, False]),
    "unblocked": (lambda alice, bob: blocks.unblock(by=alice, other_id=bob.pk), [True, False, False]),
}


def test_contacts_invitations_and_blocks_are_synced_to_those_who_may_know(alice: User, bob: User, carol: User) -> None:
    people = (alice, bob, carol)
    for what, (act, told) in CONTACTS.items():
        cursors = [up_to_date(user) for user in people]
        act(alice, bob)
        parts = [sync(by=user, cursor=cursor) for user, cursor in zip(people, cursors, strict=True)]
        assert [part.items["contacts_changed"] for part in parts] == told, what


# Rounds


@pytest.fixture
def many(alice: User, bob: User) -> list[Conversation]:
    return [create_group(by=alice, name=f"{n}", participants=[bob]) for n in range(5)]


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("days", [None, 1], ids=["of everything", "of what changed"])
def test_the_pages_of_a_round_hold_everything_once(
    days: int | None, limit: int, many: list[Conversation], alice: User
) -> None:
    moment = timezone.now() - timedelta(days=days or 0)
    cursor = SyncRound(since=moment, until=moment, generation=current_generation()).write(by=alice) if days else None
    shown, has_more, pages = [], True, 0
    while has_more:
        part = sync(by=alice, cursor=cursor, limit=limit)
        shown += names(part)
        cursor, has_more, pages = part.next, part.has_more, pages + 1  # type: ignore[assignment]
    assert sorted(shown) == ["0", "1", "2", "3", "4"]
    assert pages == -(-5 // limit)


def test_changes_during_a_round_come_in_it_or_in_the_next(many: list[Conversation], alice: User) -> None:
    up_to_date(alice)
    first = sync(by=alice, limit=2)
    early, late = many[0], many[-1]
    assert str(early.pk) <= first.items["conversations"][-1]["id"] < str(late.pk)
    for each in (early, late):
        say(alice, each, "Hi")
    second = sync(by=alice, cursor=first.next)
    shown = {each["id"]: each["version"] for each in second.items["conversations"]}
    assert str(early.pk) not in shown
    assert shown[str(late.pk)] == 2
    assert str(early.pk) in [each["id"] for each in sync(by=alice, cursor=second.next).items["conversations"]]


def test_changes_that_were_being_written_during_a_round_come_in_the_next(
    committed: None, group: Conversation, alice: User
) -> None:
    pass_time()
    with another_connection() as other:
        # Written 29 seconds ago, by a transaction that has not ended.
        other.execute(
            "UPDATE conversations_conversation SET version = 2, changed_at = clock_timestamp() - interval '29 s'"
        )
        cursor = str(sync(by=alice).next)
        assert names(sync(by=alice, cursor=cursor)) == []
        other.commit()
    assert names(sync(by=alice, cursor=cursor)) == ["Garden"]


def test_the_number_of_queries_does_not_grow_with_the_conversations_of_a_person(
    person: Callable[[str], User], alice: User, many: list[Conversation]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            sync(by=alice)
        return len(captured)

    cost = queries()
    for n in range(3):
        start_direct(by=alice, to=person(f"guest{n}"))
    assert queries() == cost


# Cursors


@pytest.mark.parametrize(("days", "is_gone"), [(29.9, False), (30.1, True)])
def test_a_cursor_lives_for_thirty_days(days: float, is_gone: bool, group: Conversation, alice: User) -> None:
    moment = timezone.now() - timedelta(days=days)
    rounds = [
        SyncRound(since=moment, until=moment, generation=current_generation()),
        SyncRound(since=None, until=moment, generation=current_generation(), after=UUID(int=0)),
        SyncRound(since=moment, until=timezone.now(), generation=current_generation(), after=UUID(int=0)),
    ]
    for each in rounds:
        cursor = each.write(by=alice)
        if is_gone:
            with pytest.raises(Gone):
                sync(by=alice, cursor=cursor)
        else:
            assert names(sync(by=alice, cursor=cursor)) == ["Garden"]


def test_a_cursor_that_is_altered_or_someone_elses_is_refused(group: Conversation, alice: User, bob: User) -> None:
    cursor = str(sync(by=bob).next)
    for by, wrong in ((alice, cursor), (bob, cursor[:-1]), (bob, "x"), (bob, "\0")):
        with pytest.raises(BadCursor):
            sync(by=by, cursor=wrong)


def test_old_departures_are_not_sent_again(group: Conversation, alice: User, bob: User) -> None:
    cursor = up_to_date(bob)
    groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk)
    Departure.objects.update(at=timezone.now() - timedelta(hours=1))
    assert sync(by=bob, cursor=cursor).items["removed"] == []
    assert not Participant.objects.filter(user=bob, left_at=None).exists()
