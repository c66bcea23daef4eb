"""The status of a message: when it was delivered to each member and read, as its sender sees it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chatproject.core.errors import NotAllowed
from conversations.contacts.blocks import block, unblock
from conversations.contacts.profile import update_me
from conversations.groups import add_members, leave
from conversations.models import Conversation
from messaging.models import Message, MessageStatus
from messaging.receipts.commands import mark_delivered, mark_read
from messaging.receipts.status import status_of
from messaging.sync.inbox import show_conversation
from messaging.sync.member_list import list_members
from tests.messaging.helpers import change_place, say

Said = dict[str, Any]


@pytest.fixture
def said(group: Conversation, alice: User) -> list[Any]:
    """What Alice has said in the group: three things."""
    return [say(alice, group, text) for text in ("one", "two", "three")]


def status(by: User, message: Any) -> dict[str, str]:
    """How far each other has come with a message."""
    words = {}
    for each in status_of(by=by, message_id=UUID(message["id"])):
        name = User.objects.get(pk=each["user_id"]).username
        words[name] = "read" if each["read_at"] else "delivered" if each["delivered_at"] else "sent"
    return words


def marks_of(by: User, conversation: Conversation, whom: User) -> tuple[int, int]:
    """The marks of someone as another sees them, alike wherever they are shown."""
    lists = [
        show_conversation(by=by, conversation_id=conversation.pk)["participants"],
        list_members(by=by, conversation_id=conversation.pk).items,
    ]
    found = [each for some in lists for each in some if each["user"]["id"] == str(whom.pk)]
    [marks] = {(each["delivered_through"], each["read_through"]) for each in found}
    return marks


def hide(user: User) -> None:
    update_me(by=user, settings={"read_receipts": False})
    user.refresh_from_db()


def test_a_message_has_the_status_of_the_ranges_that_include_it(
    group: Conversation, alice: User, bob: User, carol: User, said: list[Any]
) -> None:
    mark_delivered(by=bob, conversation_id=group.pk, through=said[1]["position"])
    mark_read(by=bob, conversation_id=group.pk, through=said[0]["position"])
    mark_read(by=carol, conversation_id=group.pk, through=said[2]["position"])
    assert [status(alice, each) for each in said] == [
        {"bob": "read", "carol": "read"},
        {"bob": "delivered", "carol": "read"},
        {"bob": "sent", "carol": "read"},
    ]


def test_a_message_has_the_time_of_the_range_that_includes_it(
    group: Conversation, alice: User, bob: User, said: list[Any]
) -> None:
    times = []
    for each in said:
        mark_read(by=bob, conversation_id=group.pk, through=each["position"])
        times.append(MessageStatus.objects.filter(user=bob, what="read").latest("at").at)
    found = [status_of(by=alice, message_id=UUID(each["id"]))[0]["read_at"] for each in said]
    assert [datetime.fromisoformat(str(each)) for each in found] == times


def test_only_the_sender_sees_the_status_and_others_may_not_even_find_the_message(
    group: Conversation, bob: User, mallory: User, said: list[Any]
) -> None:
    with pytest.raises(NotAllowed):
        status(bob, said[0])
    with pytest.raises(Message.DoesNotExist):
        status(mallory, said[0])


def test_only_current_members_who_can_read_the_message_are_listed(
    group: Conversation, alice: User, bob: User, mallory: User, said: list[Any]
) -> None:
    add_members(by=alice, conversation_id=group.pk, users=[mallory])
    leave(by=bob, conversation_id=group.pk)
    assert status(alice, said[0]) == {"carol": "sent"}
    assert status(alice, say(alice, group)) == {"carol": "sent", "mallory": "sent"}


@pytest.mark.parametrize("hidden", ["alice", "bob"])
def test_people_who_hide_reading_do_not_see_that_of_others(
    hidden: str, group: Conversation, alice: User, bob: User, carol: User, said: list[Any]
) -> None:
    for reader in (bob, carol):
        mark_read(by=reader, conversation_id=group.pk, through=said[2]["position"])
    hide({"alice": alice, "bob": bob}[hidden])
    is_alice = hidden == "alice"
    assert status(alice, said[0]) == {"bob": "delivered", "carol": "delivered" if is_alice else "read"}
    end = said[2]["position"]
    assert marks_of(alice, group, bob) == (end, 0)
    assert marks_of(alice, group, carol) == (end, 0 if is_alice else end)
    assert marks_of(bob, group, carol) == (end, end if is_alice else 0)


def test_what_was_read_while_hidden_has_no_time_later(
    group: Conversation, alice: User, bob: User, said: list[Any]
) -> None:
    hide(bob)
    mark_read(by=bob, conversation_id=group.pk, through=said[0]["position"])
    update_me(by=bob, settings={"read_receipts": True})
    mark_read(by=bob, conversation_id=group.pk, through=said[1]["position"])
    assert [status(alice, each)["bob"] for each in said] == ["delivered", "read", "sent"]


@pytest.mark.parametrize("blocker", ["alice", "bob"])
def test_after_a_block_the_shown_status_does_not_change(
    blocker: str, conversation: Conversation, alice: User, bob: User
) -> None:
    before, after = say(alice, conversation, "before"), say(alice, conversation, "after")
    mark_read(by=bob, conversation_id=conversation.pk, through=1)
    user, other = (alice, bob) if blocker == "alice" else (bob, alice)
    block(by=user, other=other)
    mark_read(by=bob, conversation_id=conversation.pk, through=2)
    assert (status(alice, before), status(alice, after)) == ({"bob": "read"}, {"bob": "sent"})
    assert marks_of(alice, conversation, bob) == (1, 1)
    assert show_conversation(by=bob, conversation_id=conversation.pk)["me"]["read_through"] == 2
    unblock(by=user, other_id=other.pk)
    assert marks_of(alice, conversation, bob) == (2, 2)
    assert status(alice, after) == {"bob": "sent"}


def test_the_number_of_queries_does_not_grow_with_the_readers(
    large_group: Conversation, alice: User, bob: User, person: Callable[..., User]
) -> None:
    message = say(alice, large_group)
    with CaptureQueriesContext(connection) as first:
        status_of(by=alice, message_id=UUID(message["id"]))
    for place in large_group.participants.select_related("user")[:40]:
        mark_read(by=place.user, conversation_id=large_group.pk, through=message["position"])
    with CaptureQueriesContext(connection) as second:
        assert len(status_of(by=alice, message_id=UUID(message["id"]))) == 100
    assert len(first) == len(second) == 4


def test_the_status_of_an_old_message_is_found_in_later_partitions(
    group: Conversation, alice: User, bob: User, said: list[Any]
) -> None:
    Message.objects.filter(pk=said[0]["id"]).update(created_at=F("created_at") - timedelta(days=80))
    mark_read(by=bob, conversation_id=group.pk, through=said[0]["position"])
    assert status(alice, said[0])["bob"] == "read"


def test_who_may_not_read_a_message_is_not_in_its_status(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    said = say(alice, group)
    change_place(bob, group, reads="addressed")
    assert [each["user_id"] for each in status_of(by=alice, message_id=said["id"])] == [str(carol.pk)]
    Message.objects.filter(pk=said["id"]).update(addressed=[bob.pk])
    assert [each["user_id"] for each in status_of(by=alice, message_id=said["id"])] == [str(bob.pk), str(carol.pk)]
