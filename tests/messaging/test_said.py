"""What counts as said: notices are no last message, no activity and not unread; where the newest said one is kept."""

import json
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from conversations.creation import create_group
from conversations.groups import add_members, update_group
from conversations.models import Conversation
from messaging.access import oldest
from messaging.messages.edit import delete_message
from messaging.models import Message
from messaging.receipts.commands import mark_read
from messaging.said import correct_last_spoken
from messaging.sync.inbox import list_conversations, show_conversation
from messaging.sync.unread_counts import LATEST_AND_UNREAD, UNREAD_CAP
from tests.messaging.helpers import append_unheard, change_place, draft, hold, place, say
from tests.messaging.sync.conftest import NOW, active_at, names
from tests.support.together import another_connection


def last_text(by: User, conversation: Conversation) -> str | None:
    last = show_conversation(by=by, conversation_id=conversation.pk)["last_message"]
    return last and last["text"]


def spoken(conversation: Conversation) -> int:
    return Conversation.objects.get(pk=conversation.pk).last_spoken


def rename(by: User, group: Conversation, count: int = 1) -> None:
    for n in range(count):
        update_group(by=by, conversation_id=group.pk, name=f"Garden {n}")


def forget_last_spoken() -> None:
    """Leave behind what a server of the former release does: it does not set the column."""
    Conversation.objects.update(last_spoken=0)


# What the list shows


def test_a_notice_is_no_last_message_and_no_activity(group: Conversation, alice: User, bob: User) -> None:
    assert last_text(bob, group) is None
    say(alice, group, "Hi")
    before = Conversation.objects.get(pk=group.pk).active_at
    rename(alice, group)
    assert last_text(bob, group) == "Hi"
    assert Conversation.objects.get(pk=group.pk).active_at == before
    assert show_conversation(by=bob, conversation_id=group.pk)["me"]["unread_count"] == 1


def test_a_notice_moves_no_conversation_up(group: Conversation, alice: User) -> None:
    create_group(by=alice, name="Choir")
    rename(alice, group)
    assert names(alice) == ["Choir", "Garden 0"]


def test_a_deleted_message_stays_the_last_one(group: Conversation, alice: User, bob: User) -> None:
    said = say(alice, group, "Oops")
    delete_message(by=alice, message_id=said["id"])
    shown = show_conversation(by=bob, conversation_id=group.pk)["last_message"]
    assert shown is not None
    assert (shown["id"], shown["deleted_at"] is not None) == (said["id"], True)


def test_a_quiet_group_is_at_the_top_for_whom_has_just_been_added_and_moves_for_nobody_else(
    alice: User, bob: User, carol: User
) -> None:
    quiet, loud = (create_group(by=alice, name=name, participants=[bob]) for name in ("Quiet", "Loud"))
    create_group(by=alice, name="Carol's", participants=[carol])
    active_at(quiet, NOW - timedelta(days=30))
    say(alice, loud)
    add_members(by=alice, conversation_id=quiet.pk, users=[carol])
    assert names(carol) == ["Quiet", "Carol's"]
    assert names(bob) == ["Loud", "Quiet"]


def test_pages_of_the_list_go_on_by_the_time_of_joining_too(alice: User, bob: User) -> None:
    for name in "abc":
        group = create_group(by=alice, name=name)
        active_at(group, NOW - timedelta(days=30))
        add_members(by=alice, conversation_id=group.pk, users=[bob])
    first = list_conversations(by=bob, limit=2)
    assert [each["name"] for each in first.items] == ["c", "b"]
    assert names(bob, cursor=first.next) == ["a"]


# Where the newest said message is kept


def test_what_is_said_sets_the_position_and_a_notice_leaves_it(group: Conversation, alice: User) -> None:
    assert spoken(group) == 0
    append_unheard(*(draft(alice, group, text) for text in ("one", "two")))
    position = say(alice, group, "three")["position"]
    rename(alice, group)
    assert spoken(group) == position < Conversation.objects.get(pk=group.pk).last_position


def test_what_was_said_by_a_server_that_does_not_set_it_is_found_by_the_next_message(
    conversation: Conversation, alice: User, bob: User
) -> None:
    say(alice, conversation, "one")
    forget_last_spoken()
    say(alice, conversation, "two")
    shown = show_conversation(by=bob, conversation_id=conversation.pk)
    assert (shown["me"]["unread_count"], last_text(bob, conversation)) == (2, "two")


def test_the_job_finds_it_and_changes_nothing_that_is_right(
    conversation: Conversation, group: Conversation, alice: User, bob: User
) -> None:
    say(alice, conversation, "Hi")
    say(alice, group, "Hi")
    rename(alice, group)
    right = spoken(conversation), spoken(group)
    forget_last_spoken()
    assert correct_last_spoken() == 2
    assert (spoken(conversation), spoken(group)) == right
    assert correct_last_spoken() == 0


@pytest.mark.usefixtures("committed")
def test_the_job_waits_for_nobody(conversation: Conversation, group: Conversation, alice: User) -> None:
    say(alice, conversation, "Hi")
    say(alice, group, "Hi")
    forget_last_spoken()
    with another_connection() as holding:
        hold(group, holding)
        assert correct_last_spoken() == 1
    assert correct_last_spoken() == 1


def test_the_migration_finds_what_was_said_before_it_and_may_be_repeated(
    conversation: Conversation, group: Conversation, alice: User
) -> None:
    say(alice, conversation, "Hi")
    say(alice, group, "Hi")
    rename(alice, group)
    empty = create_group(by=alice, name="Empty")
    right = [spoken(each) for each in (conversation, group, empty)]
    forget_last_spoken()
    newest = import_module("conversations.migrations.0009_last_spoken").NEWEST
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(newest, {"keys": [conversation.pk, group.pk, empty.pk]})
        assert [spoken(each) for each in (conversation, group, empty)] == right


# How it is read


def test_who_may_not_see_the_newest_is_shown_the_latest_that_they_may(
    group: Conversation, alice: User, bob: User
) -> None:
    say(bob, group, "mine")
    for n in range(3):
        say(alice, group, f"not for you {n}")
    change_place(bob, group, reads="addressed")
    assert last_text(bob, group) == "mine"
    Message.objects.filter(position=4).update(addressed=[bob.pk])
    assert last_text(bob, group) == "not for you 1"
    assert show_conversation(by=bob, conversation_id=group.pk)["me"]["unread_count"] == 1


@pytest.mark.parametrize("is_read", [True, False])
def test_no_notices_are_read_to_show_the_list(group: Conversation, alice: User, bob: User, is_read: bool) -> None:
    say(alice, group, "Hi")
    if is_read:
        mark_read(by=bob, conversation_id=group.pk, through=2)
    rename(alice, group, count=40)
    assert rows_read(bob, group) == (1 if is_read else 3)


def rows_read(user: User, conversation: Conversation) -> float:
    """How many messages the database reads to show someone a conversation in the list."""
    values = {"memberships": [place(user, conversation).pk], "oldest": oldest(), "cap": UNREAD_CAP}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {LATEST_AND_UNREAD}", values)
        (found,) = cursor.fetchone()
    plan = found if isinstance(found, list) else json.loads(found)
    return sum(_rows(plan[0]["Plan"]))


def _rows(node: dict[str, Any]) -> list[float]:
    inner = [rows for child in node.get("Plans", ()) for rows in _rows(child)]
    if not node.get("Relation Name", "").startswith("messaging_message"):
        return inner
    return [*inner, (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]]
