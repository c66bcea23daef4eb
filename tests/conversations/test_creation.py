"""Starting direct conversations and creating groups."""

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


def test_nobody_starts_a_conversation_with_themselves(alice: User) -> None:
    with pytest.raises(Unprocessable) as refused:
        start_direct(by=alice, to=alice)
    assert (refused.value.status, refused.value.pointer) == (422, "/to")
    assert not Conversation.objects.exists()


@pytest.mark.usefixtures("committed")
def test_two_people_who_start_a_conversation_at_once_get_the_same_one(alice: User, bob: User) -> None:
    started = together(*[lambda: start_direct(by=alice, to=bob), lambda: start_direct(by=bob, to=alice)] * 4)
    assert {conversation.pk for conversation, _ in started} == {Conversation.objects.get().pk}
    assert sum(is_new for _, is_new in started) == 1
    assert members(started[0][0]) == {"alice", "bob"}


@pytest.mark.usefixtures("committed")
def test_after_a_rollback_the_other_person_starts_the_conversation(alice: User, bob: User) -> None:
    started = Event()

    @transaction.atomic
    def start_and_take_back() -> bool:
        start_direct(by=alice, to=bob)
        started.set()
        transaction.set_rollback(True)
        return False

    def start_meanwhile() -> bool:
        started.wait(5)
        return start_direct(by=bob, to=alice)[1]

    assert together(start_and_take_back, start_meanwhile) == [False, True]
    assert members(Conversation.objects.get()) == {"alice", "bob"}


def test_the_creator_of_a_group_owns_it_and_the_others_are_members(group: Conversation, alice: User, bob: User) -> None:
    assert members(group) == {"alice", "bob", "carol"}
    assert group.owner == alice
    assert role_of(participant_of(alice, group.pk), group) == "owner"
    assert role_of(participant_of(bob, group.pk), group) == "member"


def test_a_person_named_twice_is_one_participant(alice: User, bob: User) -> None:
    group = create_group(by=alice, name="Garden", participants=[bob, alice, bob])
    assert group.participants.count() == 2


def test_a_group_can_be_created_without_other_members(alice: User) -> None:
    assert members(create_group(by=alice, name="Notes")) == {"alice"}


def test_name_and_description_of_a_group_are_trimmed(alice: User) -> None:
    group = create_group(by=alice, name="  Garden ", description=" tomatoes\n")
    assert (group.name, group.description) == ("Garden", "tomatoes")


@pytest.mark.parametrize("name", ["", "  ", "\n\t"])
def test_a_group_needs_a_name(name: str, alice: User) -> None:
    with pytest.raises(Unprocessable) as refused:
        create_group(by=alice, name=name)
    assert refused.value.pointer == "/name"
    assert not Conversation.objects.exists()


def test_the_setting_limits_the_size_of_a_group(
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
def test_a_new_conversation_bumps_the_version_of_its_participants_only(
    start: Callable[[User, User], object], alice: User, bob: User, mallory: User
) -> None:
    start(alice, bob)
    versions = dict(User.objects.values_list("username", "version"))
    assert versions == {"alice": 1, "bob": 1, "mallory": 0}


def test_finding_an_existing_conversation_changes_no_version(
    conversation: Conversation, alice: User, bob: User
) -> None:
    start_direct(by=bob, to=alice)
    assert set(User.objects.values_list("version", flat=True)) == {1}
