"""How conversations begin."""

from collections.abc import Callable
from threading import Event

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.models import User
from chatproject.core.errors import Unprocessable
from conversations.access import participant_of
from conversations.creation import create_group, start_direct
from conversations.models import Conversation
from messaging.sync.inbox import role_of
from tests.support.together import together


def members(conversation: Conversation) -> set[str]:
    return set(conversation.participants.filter(left_at=None).values_list("user__username", flat=True))


def test_two_people_have_one_conversation_whoever_starts_it(alice: User, bob: User) -> None:
    first, is_new = start_direct(by=alice, to=bob)
    assert is_new
    assert members(first) == {"alice", "bob"}
    assert start_direct(by=bob, to=alice) == (first, False)


def test_nobody_talks_with_themselves(alice: User) -> None:
    with pytest.raises(Unprocessable) as refused:
        start_direct(by=alice, to=alice)
    assert (refused.value.status, refused.value.pointer) == (422, "/to")
    assert not Conversation.objects.exists()


@pytest.mark.usefixtures("committed")
def test_who_start_a_conversation_at_the_same_moment_get_the_same(alice: User, bob: User) -> None:
    started = together(*[lambda: start_direct(by=alice, to=bob), lambda: start_direct(by=bob, to=alice)] * 4)
    assert {conversation.pk for conversation, _ in started} == {Conversation.objects.get().pk}
    assert sum(is_new for _, is_new in started) == 1
    assert members(started[0][0]) == {"alice", "bob"}


@pytest.mark.usefixtures("committed")
def test_a_start_that_is_taken_back_leaves_the_conversation_to_the_other(alice: User, bob: User) -> None:
    begun = Event()

    @transaction.atomic
    def start_and_take_back() -> bool:
        start_direct(by=alice, to=bob)
        begun.set()
        transaction.set_rollback(True)
        return False

    def start_meanwhile() -> bool:
        begun.wait(5)
        return start_direct(by=bob, to=alice)[1]

    assert together(start_and_take_back, start_meanwhile) == [False, True]
    assert members(Conversation.objects.get()) == {"alice", "bob"}


def test_whoever_makes_a_group_owns_it_and_the_others_are_members(group: Conversation, alice: User, bob: User) -> None:
    assert members(group) == {"alice", "bob", "carol"}
    assert group.owner == alice
    assert role_of(participant_of(alice, group.pk), group) == "owner"
    assert role_of(participant_of(bob, group.pk), group) == "member"


def test_a_member_named_twice_and_the_owner_among_them_have_one_place_each(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Garden", participants=[bob, alice, bob])
    assert group.participants.count() == 2


def test_a_group_may_begin_with_its_owner_alone(alice: User) -> None:
    assert members(create_group(by=alice, name="Notes")) == {"alice"}


def test_a_groups_name_and_description_stand_without_blanks_around_them(alice: User) -> None:
    group = create_group(by=alice, name="  Garden ", description=" tomatoes\n")
    assert (group.name, group.description) == ("Garden", "tomatoes")


@pytest.mark.parametrize("name", ["", "  ", "\n\t"])
def test_a_group_needs_a_name(name: str, alice: User) -> None:
    with pytest.raises(Unprocessable) as refused:
        create_group(by=alice, name=name)
    assert refused.value.pointer == "/name"
    assert not Conversation.objects.exists()


def test_a_group_holds_as_many_as_the_settings_say(
    settings: Settings, alice: User, bob: User, carol: User, mallory: User
) -> None:
    settings.GROUP_MEMBERS = 3
    create_group(by=alice, name="Three", participants=[bob, carol])
    with pytest.raises(Unprocessable) as refused:
        create_group(by=alice, name="Four", participants=[bob, carol, mallory])
    assert refused.value.pointer == "/participants"


@pytest.mark.parametrize(
    "start",
    [lambda by, to: start_direct(by=by, to=to), lambda by, to: create_group(by=by, name="Two", participants=[to])],
    ids=["direct", "group"],
)
def test_everyone_put_into_a_conversation_is_told_once_and_nobody_else(
    start: Callable[[User, User], object], alice: User, bob: User, mallory: User
) -> None:
    start(alice, bob)
    versions = dict(User.objects.values_list("username", "version"))
    assert versions == {"alice": 1, "bob": 1, "mallory": 0}


def test_finding_a_conversation_that_is_there_changes_nothing_for_anyone(
    conversation: Conversation, alice: User, bob: User
) -> None:
    start_direct(by=bob, to=alice)
    assert set(User.objects.values_list("version", flat=True)) == {1}
