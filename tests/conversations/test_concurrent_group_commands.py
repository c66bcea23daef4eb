"""Concurrent commands on one group: it keeps one owner who is a member, nobody joins twice, nothing deadlocks."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.models import User
from chatproject.core.errors import Conflict, Gone, NotAllowed, Unprocessable
from conversations import groups, invite_links
from conversations.contacts.account_closure import close_account
from conversations.models import Conversation, InviteLink, Participant
from messaging.messages.send import send_message
from messaging.models import Message
from tests.conversations.group_helpers import owner
from tests.support.together import ended_together, on_own_connection, until_blocked

pytestmark = pytest.mark.usefixtures("committed")

ROUNDS = 4


def outcomes(ends: "list[Future[Any]]") -> list[type[BaseException] | None]:
    return [type(error) if (error := end.exception()) else None for end in ends]


def after(first: Callable[[], object], second: Callable[[], object]) -> "Future[object]":
    """Run `second` while `first` is not committed yet, so that it waits; return how the second one ended."""
    with ThreadPoolExecutor() as pool, transaction.atomic():
        first()
        waiting = pool.submit(on_own_connection, second)
        until_blocked()
    waiting.exception()
    return waiting


def is_sound(group: Conversation) -> bool:
    """Whether the owner is a member, and positions of messages are unique and end at `last_position`."""
    known = Conversation.objects.get(pk=group.pk)
    positions = list(Message.objects.filter(conversation=group).values_list("position", flat=True))
    owner_is_in = known.participants.filter(user=known.owner, left_at=None).exists()
    return owner_is_in and len(positions) == len(set(positions)) and max(positions) == known.last_position


@pytest.fixture
def crowd(person: Callable[..., User]) -> list[User]:
    return [person(f"person-{n}") for n in range(4)]


def test_only_the_first_of_two_concurrent_transfers_succeeds(
    group: Conversation, alice: User, bob: User, carol: User
) -> None:
    ends = ended_together(
        lambda: groups.transfer(by=alice, conversation_id=group.pk, to=bob),
        lambda: groups.transfer(by=alice, conversation_id=group.pk, to=carol),
    )
    assert sorted(map(str, outcomes(ends))) == sorted(map(str, [None, NotAllowed]))
    assert owner(group) == ("bob" if outcomes(ends)[0] is None else "carol")
    assert is_sound(group)


def test_a_group_can_not_be_transferred_to_someone_who_is_leaving_it(
    group: Conversation, alice: User, bob: User
) -> None:
    transferred = after(
        lambda: groups.leave(by=bob, conversation_id=group.pk),
        lambda: groups.transfer(by=alice, conversation_id=group.pk, to=bob),
    )
    assert isinstance(transferred.exception(), Participant.DoesNotExist)
    assert owner(group) == "alice"


def test_someone_who_becomes_the_owner_can_not_leave_at_the_same_time(
    group: Conversation, alice: User, bob: User
) -> None:
    left = after(
        lambda: groups.transfer(by=alice, conversation_id=group.pk, to=bob),
        lambda: groups.leave(by=bob, conversation_id=group.pk),
    )
    assert isinstance(left.exception(), Conflict)
    assert owner(group) == "bob"


def test_a_group_can_not_be_transferred_to_an_account_that_is_closing(
    group: Conversation, alice: User, bob: User
) -> None:
    transferred = after(
        lambda: close_account(by=bob), lambda: groups.transfer(by=alice, conversation_id=group.pk, to=bob)
    )
    assert isinstance(transferred.exception(), Participant.DoesNotExist)
    assert is_sound(group)


def test_a_new_owner_who_closes_their_account_has_a_successor(group: Conversation, alice: User, bob: User) -> None:
    closed = after(lambda: groups.transfer(by=alice, conversation_id=group.pk, to=bob), lambda: close_account(by=bob))
    assert closed.exception() is None
    assert owner(group) == "alice"
    assert is_sound(group)


def test_an_account_that_is_closing_is_added_to_no_group_and_can_be_removed(
    group: Conversation, alice: User, mallory: User
) -> None:
    added = after(
        lambda: close_account(by=mallory),
        lambda: groups.add_members(by=alice, conversation_id=group.pk, users=[mallory]),
    )
    assert isinstance(added.exception(), User.DoesNotExist)
    closed = after(
        lambda: groups.remove_member(by=alice, conversation_id=group.pk, user_id=User.objects.get(username="bob").pk),
        lambda: close_account(by=User.objects.get(username="bob")),
    )
    assert closed.exception() is None
    assert group.participants.filter(left_at=None).count() == 2


def test_a_message_that_waits_for_the_removal_of_its_sender_is_refused(
    group: Conversation, alice: User, bob: User
) -> None:
    sent = after(
        lambda: groups.remove_member(by=alice, conversation_id=group.pk, user_id=bob.pk),
        lambda: send_message(by=bob, conversation_id=group.pk, text="One last word"),
    )
    assert isinstance(sent.exception(), Conversation.DoesNotExist)
    assert not Message.objects.filter(kind="text").exists()


def test_concurrent_joins_do_not_exceed_the_uses_of_a_link(group: Conversation, alice: User, crowd: list[User]) -> None:
    link, token = invite_links.make_link(by=alice, conversation_id=group.pk, max_uses=2)
    ends = ended_together(*[lambda user=user: invite_links.accept_link(by=user, token=token) for user in crowd])
    assert sorted(map(str, outcomes(ends))) == sorted(map(str, [None, None, Gone, Gone]))
    assert InviteLink.objects.get(pk=link.pk).uses == 2
    assert group.participants.filter(left_at=None).count() == 5
    assert is_sound(group)


def test_one_person_joining_several_times_at_once_uses_a_link_once(
    group: Conversation, alice: User, mallory: User
) -> None:
    link, token = invite_links.make_link(by=alice, conversation_id=group.pk)
    ends = ended_together(*[lambda: invite_links.accept_link(by=mallory, token=token)] * 4)
    assert outcomes(ends) == [None] * 4
    assert InviteLink.objects.get(pk=link.pk).uses == 1
    assert Message.objects.filter(conversation=group).count() == 2


def test_concurrent_additions_do_not_exceed_the_size_limit(
    settings: Settings, group: Conversation, alice: User, bob: User, crowd: list[User]
) -> None:
    settings.GROUP_MEMBERS = 4
    groups.set_role(by=alice, conversation_id=group.pk, user_id=bob.pk, role="admin")
    _, token = invite_links.make_link(by=alice, conversation_id=group.pk)
    one, two, three, _ = crowd
    ends = ended_together(
        lambda: groups.add_members(by=alice, conversation_id=group.pk, users=[one]),
        lambda: groups.add_members(by=bob, conversation_id=group.pk, users=[two]),
        lambda: invite_links.accept_link(by=three, token=token),
    )
    refused = [end for end in outcomes(ends) if end]
    assert len(refused) == 2
    assert set(refused) <= {Unprocessable, Conflict}
    assert group.participants.filter(left_at=None).count() == 4


def test_nobody_joins_a_group_that_is_being_deleted(group: Conversation, alice: User, mallory: User) -> None:
    _, token = invite_links.make_link(by=alice, conversation_id=group.pk)
    joins: list[Callable[[], object]] = [
        lambda: groups.add_members(by=alice, conversation_id=group.pk, users=[mallory]),
        lambda: invite_links.accept_link(by=mallory, token=token),
        lambda: invite_links.make_link(by=alice, conversation_id=group.pk),
        lambda: send_message(by=alice, conversation_id=group.pk, text="Hi"),
    ]
    with ThreadPoolExecutor() as pool, transaction.atomic():
        groups.delete_group(by=alice, conversation_id=group.pk)
        waiting = [pool.submit(on_own_connection, call) for call in joins]
        until_blocked(len(joins))
    assert set(outcomes(waiting)) == {Conversation.DoesNotExist}
    assert not Participant.objects.exists()


def test_concurrent_commands_do_not_deadlock_and_keep_one_owner(
    group: Conversation, alice: User, bob: User, carol: User, crowd: list[User]
) -> None:
    id, (one, two, three, four) = group.pk, crowd
    _, token = invite_links.make_link(by=alice, conversation_id=id)
    for _ in range(ROUNDS):
        owner = Conversation.objects.get(pk=id).owner
        ends = ended_together(
            lambda owner=owner: groups.transfer(by=owner, conversation_id=id, to=bob if owner != bob else alice),
            lambda owner=owner: groups.add_members(by=owner, conversation_id=id, users=[one, two, three]),
            lambda owner=owner: groups.remove_member(by=owner, conversation_id=id, user_id=two.pk),
            lambda: invite_links.accept_link(by=four, token=token),
            lambda: groups.leave(by=one, conversation_id=id),
            lambda: send_message(by=carol, conversation_id=id, text="Hi"),
            lambda: groups.update_group(by=alice, conversation_id=id, name="Orchard"),
        )
        known = {None, NotAllowed, Conflict, Conversation.DoesNotExist, Participant.DoesNotExist}
        assert set(outcomes(ends)) <= known
        assert is_sound(group)
    participants = Participant.objects.filter(conversation=group)
    assert participants.count() == len(set(participants.values_list("user", flat=True)))
