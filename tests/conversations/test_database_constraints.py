"""Constraints and triggers of the database, which hold for every writer."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from conversations.models import Conversation, Participant, direct_key
from tests.support.together import another_connection, ended_together, until_blocked

TRANSFER = "UPDATE conversations_conversation SET owner_id = %(user)s WHERE id = %(group)s"
LEAVE = (
    "UPDATE conversations_participant SET left_at = now(), left_version = 1 "
    "WHERE conversation_id = %(group)s AND user_id = %(user)s"
)
DELETE = "DELETE FROM conversations_participant WHERE conversation_id = %(group)s AND user_id = %(user)s"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "direct"},
        {"kind": "direct", "direct_key": "a:b", "owner": True},
        {"kind": "group"},
        {"kind": "group", "direct_key": "a:b", "owner": True},
        {"kind": "crowd", "owner": True},
    ],
    ids=str,
)
def test_a_direct_conversation_has_a_pair_and_a_group_an_owner(fields: dict[str, Any], alice: User) -> None:
    with pytest.raises(IntegrityError, match="direct_has_a_pair_and_group_an_owner"):
        Conversation.objects.create(**fields | ({"owner": alice} if "owner" in fields else {}))


def test_a_pair_has_one_key_and_one_conversation(conversation: Conversation, alice: User, bob: User) -> None:
    assert direct_key(bob.pk, alice.pk) == conversation.direct_key
    with pytest.raises(IntegrityError, match="direct_key"):
        Conversation.objects.create(kind="direct", direct_key=direct_key(bob.pk, alice.pk))


@pytest.mark.parametrize("numbers", [{"last_position": 1}, {"version": 3, "last_position": -1}], ids=str)
def test_positions_do_not_exceed_the_version(numbers: dict[str, int], conversation: Conversation) -> None:
    with pytest.raises(IntegrityError, match="positions_are_versions"):
        Conversation.objects.update(**numbers)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"left_at": timezone.now()}, "left_together"),
        ({"left_version": 1}, "left_together"),
        ({"read_through": 1}, "read_implies_delivered"),
        ({"read_through": 2, "delivered_through": 1}, "read_implies_delivered"),
    ],
)
def test_inconsistent_participants_are_refused(fields: dict[str, Any], rule: str, conversation: Conversation) -> None:
    with pytest.raises(IntegrityError, match=rule):
        Participant.objects.update(**fields)


def test_nobody_is_a_participant_twice(conversation: Conversation, bob: User) -> None:
    with pytest.raises(IntegrityError, match="one_place_each"):
        Participant.objects.create(conversation=conversation, user=bob)


def test_a_participant_can_not_be_deleted_as_a_user(conversation: Conversation, bob: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=bob.pk).delete()


# At the end of each transaction the owner of a group is one of its members.


def run(sql: str, group: Conversation, user: User, on: Any = connection) -> None:
    with on.cursor() as cursor:
        cursor.execute(sql, {"group": group.pk, "user": user.pk})


@pytest.mark.parametrize(
    ("sql", "who"),
    [(TRANSFER, "mallory"), (LEAVE, "alice"), (DELETE, "alice")],
    ids=["a stranger owns it", "the owner leaves", "the participant of the owner is deleted"],
)
def test_the_owner_of_a_group_is_always_a_member(
    sql: str, who: str, group: Conversation, alice: User, mallory: User
) -> None:
    run(sql, group, {"alice": alice, "mallory": mallory}[who])
    with pytest.raises(IntegrityError, match="one of its present members"):
        connection.check_constraints()


def test_someone_who_has_left_can_not_become_the_owner(group: Conversation, bob: User) -> None:
    run(LEAVE, group, bob)
    connection.check_constraints()
    run(TRANSFER, group, bob)
    with pytest.raises(IntegrityError, match="one of its present members"):
        connection.check_constraints()


def test_a_new_group_needs_its_owner_among_its_members(alice: User) -> None:
    Conversation.objects.create(kind="group", name="Empty", owner=alice)
    with pytest.raises(IntegrityError, match="one of its present members"):
        connection.check_constraints()


def test_the_owner_may_leave_and_transfer_the_group_in_one_transaction(
    group: Conversation, alice: User, bob: User
) -> None:
    run(LEAVE, group, alice)
    run(TRANSFER, group, bob)
    connection.check_constraints()
    assert Conversation.objects.get(pk=group.pk).owner == bob


def test_members_may_leave_and_a_group_is_deleted_with_its_participants(group: Conversation, bob: User) -> None:
    run(LEAVE, group, bob)
    connection.check_constraints()
    group.delete()
    connection.check_constraints()
    assert not Participant.objects.exists()


@pytest.fixture
def two(committed: None) -> Iterator[tuple[psycopg.Connection[Any], psycopg.Connection[Any]]]:
    with ExitStack() as both:
        yield both.enter_context(another_connection()), both.enter_context(another_connection())


Two = tuple[psycopg.Connection[Any], psycopg.Connection[Any]]


def refused(*ends: Future[None]) -> list[type[BaseException]]:
    return [type(error) for end in ends if (error := end.exception())]


def owner_is_in(group: Conversation) -> bool:
    owner = Conversation.objects.get(pk=group.pk).owner
    return group.participants.filter(user=owner, left_at=None).exists()


def test_a_transfer_and_the_leaving_of_the_new_owner_can_not_both_commit(
    two: Two, group: Conversation, bob: User
) -> None:
    handing, leaving = two
    run(TRANSFER, group, bob, on=handing)
    run(LEAVE, group, bob, on=leaving)
    ends = ended_together(handing.commit, leaving.commit)
    assert refused(*ends) == [psycopg.errors.IntegrityConstraintViolation]
    assert owner_is_in(group)


def test_a_new_owner_who_leaves_during_the_transfer_waits_and_is_refused(
    two: Two, group: Conversation, bob: User
) -> None:
    handing, leaving = two
    run(TRANSFER, group, bob, on=handing)
    run(LEAVE, group, bob, on=leaving)
    with ThreadPoolExecutor() as pool:
        end = pool.submit(leaving.commit)
        until_blocked()
        handing.commit()
    assert refused(end) == [psycopg.errors.IntegrityConstraintViolation]
    assert owner_is_in(group)


def test_a_transfer_to_someone_who_is_leaving_waits_and_is_refused(two: Two, group: Conversation, bob: User) -> None:
    handing, leaving = two
    run(LEAVE, group, bob, on=leaving)
    run("SET CONSTRAINTS ALL IMMEDIATE", group, bob, on=leaving)
    with ThreadPoolExecutor() as pool:
        end = pool.submit(run, TRANSFER, group, bob, handing)
        until_blocked()
        leaving.commit()
    assert refused(end) == []
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        handing.commit()
    assert owner_is_in(group)
