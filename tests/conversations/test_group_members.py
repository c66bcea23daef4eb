"""Adding and removing members, leaving a group, and listing its members."""

from collections.abc import Callable

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from chatproject.core.errors import Blocked, Conflict, Unprocessable
from conversations import groups
from conversations.access import participant_of
from conversations.contacts.account_closure import close_account
from conversations.contacts.blocks import block
from conversations.contacts.profile import update_me
from conversations.creation import create_group
from conversations.models import Conversation, Departure, Participant
from messaging.messages.send import send_message
from messaging.receipts.commands import mark_read
from messaging.sync.history import history
from messaging.sync.inbox import show_conversation
from messaging.sync.member_list import list_members
from tests.conversations.group_helpers import add, notices, remove, roles, set_role, texts, version


def test_added_people_become_members_and_existing_members_keep_their_role(
    group: Conversation, alice: User, bob: User, mallory: User
) -> None:
    set_role(alice, group, bob, "admin")
    before = version(group)
    add(alice, group, bob, mallory, mallory, alice)
    assert roles(group) == {"alice": "owner", "bob": "admin", "carol": "member", "mallory": "member"}
    assert version(group) == (before[0] + 2, before[1] + 1)
    participant = participant_of(mallory, group.pk)
    assert (participant.joined_version, participant.changed_version) == (before[0] + 1,) * 2


def test_adding_an_existing_member_changes_nothing(group: Conversation, alice: User, bob: User) -> None:
    before, user_version = version(group), User.objects.get(pk=bob.pk).version
    add(alice, group, bob)
    add(alice, group)
    assert (version(group), User.objects.get(pk=bob.pk).version) == (before, user_version)


@pytest.mark.parametrize(
    "refuse",
    [
        lambda bob, alice: block(by=bob, other=alice),
        lambda bob, alice: block(by=alice, other=bob),
        lambda bob, _: update_me(by=bob, settings={"add": "contacts"}),
    ],
    ids=["has blocked me", "is blocked by me", "lets contacts add"],
)
def test_someone_who_may_not_be_added_is_refused(refuse: Callable[..., None], alice: User, bob: User) -> None:
    notes = create_group(by=alice, name="Notes")
    refuse(bob, alice)
    with pytest.raises(Blocked) as refused:
        add(alice, notes, bob)
    assert refused.value.pointer == "/users"
    assert roles(notes) == {"alice": "owner"}


def test_a_closed_account_can_not_be_added(group: Conversation, alice: User, mallory: User) -> None:
    close_account(by=mallory)
    with pytest.raises(User.DoesNotExist):
        add(alice, group, mallory)


def test_nobody_can_be_added_to_a_full_group(
    settings: Settings, group: Conversation, alice: User, mallory: User
) -> None:
    settings.GROUP_MEMBERS = 3
    with pytest.raises(Unprocessable) as refused:
        add(alice, group, mallory)
    assert refused.value.pointer == "/users"
    remove(alice, group, User.objects.get(username="carol"))
    add(alice, group, mallory)
    assert "mallory" in roles(group)


def test_someone_who_joins_again_starts_afresh(group: Conversation, alice: User, bob: User) -> None:
    set_role(alice, group, bob, "admin")
    Participant.objects.filter(user=bob).update(pinned=True, archived=True, notify="none", draft=b"x", me_version=7)
    remove(alice, group, bob)
    send_message(by=alice, conversation_id=group.pk, text="Without bob")
    before = version(group)
    add(alice, group, bob)
    participant = participant_of(bob, group.pk)
    assert roles(group)["bob"] == "member"
    assert (participant.visible_from, participant.delivered_through, participant.read_through) == (before[0],) * 3
    assert (participant.pinned, participant.archived, participant.notify, participant.draft) == (
        False,
        False,
        "all",
        None,
    )
    assert texts(group, bob) == []
    assert not Departure.objects.exists()


def test_shared_history_does_not_count_as_unread(group: Conversation, alice: User, mallory: User) -> None:
    groups.update_group(by=alice, conversation_id=group.pk, history="shared")
    send_message(by=alice, conversation_id=group.pk, text="Before")
    add(alice, group, mallory)
    send_message(by=alice, conversation_id=group.pk, text="After")
    assert texts(group, mallory) == ["Before", "After"]
    assert show_conversation(by=mallory, conversation_id=group.pk)["me"]["unread_count"] == 1


def test_a_removed_member_is_a_stranger_and_both_sides_learn_of_it(group: Conversation, alice: User, bob: User) -> None:
    before, user_version = version(group), User.objects.get(pk=bob.pk).version
    remove(alice, group, bob)
    with pytest.raises(Conversation.DoesNotExist):
        send_message(by=bob, conversation_id=group.pk, text="Still here")
    assert version(group) == (before[0] + 2, before[1] + 1)
    assert notices(group, alice)[1:] == [("removed", "alice", ["bob"], None)]
    left = Participant.objects.get(user=bob)
    assert (left.left_version, left.changed_version) == (before[0] + 1,) * 2
    departure = Departure.objects.get()
    assert (departure.user, departure.conversation_id, departure.reason) == (bob, group.pk, "removed")
    assert User.objects.get(pk=bob.pk).version == user_version + 1


def test_leaving_creates_a_notice_and_ends_access(group: Conversation, alice: User, bob: User) -> None:
    groups.leave(by=bob, conversation_id=group.pk)
    assert roles(group) == {"alice": "owner", "carol": "member"}
    assert notices(group, alice)[1:] == [("left", "bob", ["bob"], None)]
    assert Departure.objects.get().reason == "left"
    with pytest.raises(Conversation.DoesNotExist):
        history(by=bob, conversation_id=group.pk)


def test_a_new_role_does_not_change_the_watermarks(group: Conversation, alice: User, bob: User) -> None:
    send_message(by=alice, conversation_id=group.pk, text="Hi")
    mark_read(by=bob, conversation_id=group.pk, through=2)
    set_role(alice, group, bob, "admin")
    assert participant_of(bob, group.pk).read_through == 2


def test_the_owner_can_not_leave_before_others_and_the_last_member_deletes_the_group(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    with pytest.raises(Conflict):
        groups.leave(by=alice, conversation_id=group.pk)
    for user in (bob, carol):
        groups.leave(by=user, conversation_id=group.pk)
    groups.leave(by=alice, conversation_id=group.pk)
    connection.check_constraints()
    assert not Conversation.objects.exists()
    assert dict(Departure.objects.values_list("user__username", "reason")) == {
        "alice": "deleted", "bob": "left", "carol": "left",
    }  # fmt: skip


def test_members_are_listed_in_pages(group: Conversation, bob: User, carol: User, alice: User) -> None:
    remove(alice, group, carol)
    first = list_members(by=bob, conversation_id=group.pk, limit=1)
    second = list_members(by=bob, conversation_id=group.pk, limit=1, cursor=str(first.next))
    named = [each["user"]["username"] for page in (first, second) for each in page.items]
    assert (named, first.has_more, second.has_more) == (["alice", "bob"], True, False)
    with pytest.raises(Conversation.DoesNotExist):
        list_members(by=carol, conversation_id=group.pk)
