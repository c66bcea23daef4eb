"""The append, one message at a time, as REST, pages and jobs use it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from chatproject.core.errors import Blocked, IdConflict, Invalid
from chatproject.core.ids import uuid7
from conversations.creation import create_group, start_direct
from conversations.models import Conversation
from messaging.messages.append import append
from messaging.messages.edit import edit_message
from messaging.messages.send import send_message
from messaging.models import Message
from messaging.retention.partitions import make_partitions, monday, name_of, partitions
from tests.messaging.helpers import change_place, draft, hold, id_at, positions, remove, say, seat
from tests.support.together import another_connection, on_own_connection, until_blocked


def said_before(id: UUID, by: User, conversation: Conversation, text: str = "Hi") -> Message:
    """Store a message as it was sent when its id was new."""
    it = draft(by, conversation, text, id=id)
    Conversation.objects.filter(pk=conversation.pk).update(version=1, last_position=1)
    return Message.objects.create(id=id, conversation=conversation, sender=by, position=1, version=1, body=it.body)


# What is new


def test_messages_have_consecutive_positions(conversation: Conversation, alice: User, bob: User) -> None:
    assert positions([say(alice, conversation), say(bob, conversation), say(alice, conversation)]) == [1, 2, 3]
    conversation.refresh_from_db()
    assert (conversation.version, conversation.last_position) == (3, 3)


def test_the_acknowledged_message_is_the_stored_one(conversation: Conversation, alice: User) -> None:
    sent = say(alice, conversation, "Hi\n")
    stored = Message.objects.get(pk=sent["id"])
    assert (stored.position, stored.version, stored.sender, stored.kind) == (1, 1, alice, "text")
    assert b"Hi" not in bytes(stored.body or b"")
    assert send_message(by=alice, conversation_id=conversation.pk, text="Hi\n", id=stored.pk).message == sent


@pytest.mark.usefixtures("committed")
def test_a_message_costs_one_statement_however_large_the_group(
    django_assert_num_queries: DjangoAssertNumQueries, person: Callable[[str], User], alice: User
) -> None:
    group = create_group(by=alice, name="Crowd", participants=[person(f"guest{n}") for n in range(60)])
    with django_assert_num_queries(1):
        say(alice, group)


def test_the_server_makes_an_id_where_none_is_given(conversation: Conversation, alice: User) -> None:
    assert UUID(say(alice, conversation)["id"]).version == 7


def test_other_changes_count_as_versions_and_leave_gaps_between_positions(
    group: Conversation, alice: User, bob: User
) -> None:
    first = say(alice, group)
    remove(bob, group)
    assert say(alice, group)["position"] == first["position"] + 2


@pytest.mark.usefixtures("committed")
def test_a_missing_partition_is_made_for_a_message(
    caplog: pytest.LogCaptureFixture, conversation: Conversation, alice: User
) -> None:
    week = name_of(monday(timezone.now()))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {week}")
    assert say(alice, conversation)["position"] == 1
    assert week in partitions()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


# Saying it again


def test_a_repeated_send_is_the_same_message_at_the_same_position(conversation: Conversation, alice: User) -> None:
    id = uuid7()
    first = send_message(by=alice, conversation_id=conversation.pk, text="Hi", id=id)
    say(alice, conversation, "then")
    again = send_message(by=alice, conversation_id=conversation.pk, text="Hi", id=id)
    assert (first.repeated, again.repeated) == (False, True)
    assert again.message == first.message
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Ho"},
        {"text": "Hi "},
        {"by": "bob"},
        {"conversation_id": "another"},
        {"reply_to_id": "first"},
    ],
    ids=str,
)
def test_other_content_under_the_same_id_is_a_conflict(
    other: dict[str, Any], conversation: Conversation, alice: User, bob: User, carol: User
) -> None:
    first, id = say(alice, conversation, "first"), uuid7()
    known = {"bob": bob, "another": start_direct(by=alice, to=carol)[0].pk, "first": UUID(first["id"])}
    fields: dict[str, Any] = {"by": alice, "conversation_id": conversation.pk, "text": "Hi", "id": id}
    send_message(**fields)
    with pytest.raises(IdConflict) as refused:
        send_message(**fields | {name: known.get(value, value) for name, value in other.items()})
    assert (refused.value.status, refused.value.pointer) == (409, "/id")
    assert Message.objects.count() == 2


def test_a_repeat_of_an_edited_message_is_recognised_by_its_first_text(conversation: Conversation, alice: User) -> None:
    id = UUID(say(alice, conversation, "Hi")["id"])
    edit_message(by=alice, message_id=id, text="Hello")
    assert say(alice, conversation, "Hi", id=id)["text"] == "Hello"
    with pytest.raises(IdConflict):
        say(alice, conversation, "Hello", id=id)


@pytest.fixture
def deleted(conversation: Conversation, alice: User) -> UUID:
    """A message of alice that was deleted, with all that told what it said."""
    id = UUID(say(alice, conversation, "Hi")["id"])
    Message.objects.filter(pk=id).update(body=None, version=2, deleted_at=timezone.now())
    return id


def test_a_repeat_of_a_deleted_message_is_answered_with_the_tombstone(
    deleted: UUID, conversation: Conversation, alice: User
) -> None:
    again = send_message(by=alice, conversation_id=conversation.pk, text="Hi", id=deleted)
    assert again.repeated
    assert again.message["text"] == ""
    assert again.message["deleted_at"]


def test_a_repeat_of_a_deleted_message_needs_its_sender_and_conversation(
    deleted: UUID, conversation: Conversation, group: Conversation, alice: User, bob: User
) -> None:
    for by, where in ((bob, conversation), (alice, group)):
        with pytest.raises(IdConflict):
            say(by, where, "Hi", id=deleted)


@pytest.mark.parametrize("wrapped", [lambda send: send, transaction.atomic], ids=["alone", "in a larger transaction"])
@pytest.mark.usefixtures("committed")
def test_a_message_sent_many_times_at_once_is_stored_once(
    wrapped: Callable[[Any], Any], conversation: Conversation, alice: User
) -> None:
    id = uuid7()
    send = wrapped(lambda: send_message(by=alice, conversation_id=conversation.pk, text="Hi", id=id))
    with another_connection() as holding, ThreadPoolExecutor() as pool:
        hold(conversation, holding)
        sending = [pool.submit(on_own_connection, send) for _ in range(4)]
        until_blocked(4)
        holding.commit()
    answers = [each.result() for each in sending]
    assert [answer.message for answer in answers] == [answers[0].message] * 4
    assert sum(not answer.repeated for answer in answers) == 1
    assert Message.objects.count() == Conversation.objects.get().version == 1


# Who may


def test_a_stranger_finds_no_conversation(conversation: Conversation, mallory: User) -> None:
    with pytest.raises(Conversation.DoesNotExist):
        say(mallory, conversation)
    with pytest.raises(Conversation.DoesNotExist):
        send_message(by=mallory, conversation_id=uuid7(), text="Hi")
    assert not Message.objects.exists()


def test_a_barred_person_is_refused_with_the_reason(conversation: Conversation, alice: User) -> None:
    change_place(alice, conversation, barred=True)
    with pytest.raises(Blocked) as refused:
        say(alice, conversation)
    assert (refused.value.status, refused.value.code) == (403, "blocked")


def test_a_person_who_left_sends_nothing_new_but_repeats_are_answered(group: Conversation, bob: User) -> None:
    first = say(bob, group, "Bye")
    remove(bob, group)
    with pytest.raises(Conversation.DoesNotExist):
        say(bob, group, "One more thing")
    assert say(bob, group, "Bye", id=UUID(first["id"])) == first


def test_repeats_of_a_barred_person_are_answered(conversation: Conversation, alice: User) -> None:
    first = say(alice, conversation, "Hi")
    change_place(alice, conversation, barred=True)
    assert say(alice, conversation, "Hi", id=UUID(first["id"])) == first


@pytest.mark.usefixtures("committed")
def test_no_message_follows_a_removal_that_was_committed_while_it_waited(
    group: Conversation, alice: User, bob: User
) -> None:
    with another_connection() as admin, ThreadPoolExecutor() as pool:
        remove(bob, group, on=admin)
        late = [pool.submit(on_own_connection, lambda by=by: say(by, group)) for by in (bob, alice)]
        until_blocked(2)
        admin.commit()
    assert isinstance(late[0].exception(), Conversation.DoesNotExist)
    assert late[1].result()["position"] == group.version + 2
    assert [message.sender for message in Message.objects.filter(kind="text")] == [alice]


@pytest.mark.usefixtures("committed")
def test_a_message_waits_for_the_commit_that_adds_its_sender(group: Conversation, mallory: User) -> None:
    with another_connection() as admin, ThreadPoolExecutor() as pool:
        seat(mallory, group, on=admin)
        changed_once_more(group, admin)
        first = pool.submit(on_own_connection, lambda: say(mallory, group))
        until_blocked()
        admin.commit()
    assert first.result()["position"] == group.version + 3


def changed_once_more(group: Conversation, on: Any) -> None:
    on.execute("UPDATE conversations_conversation SET version = version + 1 WHERE id = %s", [group.pk])


# The time in an id


OLD, YOUNG = timedelta(days=7, seconds=5), timedelta(days=6, hours=23)
FUTURE, SOON = timedelta(minutes=-2, seconds=-5), timedelta(minutes=-1)


@pytest.mark.parametrize("age", [YOUNG, SOON], ids=str)
def test_an_id_may_be_a_week_old_or_two_minutes_ahead(age: timedelta, conversation: Conversation, alice: User) -> None:
    sent = say(alice, conversation, id=id_at(age))
    assert abs(timezone.now() - Message.objects.get(pk=sent["id"]).created_at) < timedelta(seconds=30)


@pytest.mark.parametrize("age", [OLD, FUTURE, timedelta(days=400), timedelta(days=-400)], ids=str)
def test_an_id_of_another_time_is_refused_and_a_new_id_is_accepted(
    age: timedelta, conversation: Conversation, alice: User
) -> None:
    with pytest.raises(Invalid) as refused:
        say(alice, conversation, id=id_at(age))
    assert (refused.value.status, refused.value.pointer) == (400, "/id")
    assert say(alice, conversation)["position"] == 1


@pytest.mark.parametrize("age", [OLD, FUTURE], ids=str)
def test_an_id_of_another_time_is_accepted_for_a_repeat(
    age: timedelta, conversation: Conversation, alice: User
) -> None:
    make_partitions(behind=3)
    stored = said_before(id_at(age), alice, conversation)
    assert send_message(by=alice, conversation_id=conversation.pk, text="Hi", id=stored.pk).repeated


def test_a_stranger_finds_no_conversation_before_the_id_is_checked(conversation: Conversation, mallory: User) -> None:
    with pytest.raises(Conversation.DoesNotExist):
        say(mallory, conversation, id=id_at(OLD))


def test_a_message_in_a_transaction_that_is_rolled_back_is_not_published(
    conversation: Conversation, alice: User
) -> None:
    with transaction.atomic():
        append(draft(alice, conversation))
        transaction.set_rollback(True)
    assert say(alice, conversation)["position"] == 1
