"""The messages of a deleted group are deleted soon, even if the job was lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from conversations.groups import delete_group
from conversations.models import Conversation, Departure
from messaging.jobs import clear_up, forget_conversation
from messaging.messages.send import send_message
from messaging.models import Message, MessageStatus, Reaction
from messaging.receipts.commands import mark_read
from messaging.retention import purge


@pytest.fixture
def said(group: Conversation, conversation: Conversation, alice: User, bob: User) -> None:
    """Something is said, liked and read, here and elsewhere."""
    for each in (group, conversation):
        for n in range(5):
            message = send_message(by=alice, conversation_id=each.pk, text=f"{n}").message
            Reaction.objects.create(message_id=message["id"], conversation=each, user=alice, emoji="👍")
        mark_read(by=bob, conversation_id=each.pk, through=message["position"])


def kept(of: Conversation) -> tuple[int, ...]:
    """How many messages, reactions and runs of receipts there are of a conversation."""
    return tuple(kind.objects.filter(conversation=of).count() for kind in (Message, Reaction, MessageStatus))


def job_of(group: Conversation) -> Any:
    return ProcrastinateJob.objects.get(task_name=forget_conversation.name, args={"conversation_id": str(group.pk)})


@pytest.mark.usefixtures("said")
def test_a_deleted_group_leaves_a_job_that_deletes_everything_in_batches(
    monkeypatch: pytest.MonkeyPatch, group: Conversation, conversation: Conversation, alice: User
) -> None:
    monkeypatch.setattr(purge, "BATCH", 2)
    delete_group(by=alice, conversation_id=group.pk)
    assert kept(group) == (6, 5, 2)
    for _ in range(2):
        forget_conversation(**job_of(group).args)
    assert kept(group) == (0, 0, 0)
    assert kept(conversation) == (5, 5, 2)


@pytest.mark.usefixtures("said")
def test_the_work_of_a_lost_job_is_found_again(group: Conversation, conversation: Conversation, alice: User) -> None:
    delete_group(by=alice, conversation_id=group.pk)
    assert purge.left_behind() == [group.pk]
    clear_up(0)
    assert (kept(group), kept(conversation)) == ((0, 0, 0), (5, 5, 2))
    assert purge.left_behind() == []


@pytest.mark.usefixtures("said")
def test_nothing_of_an_existing_conversation_is_deleted(group: Conversation) -> None:
    assert purge.forget_conversation(group.pk) == 0
    assert kept(group) == (6, 5, 2)


def test_departures_are_kept_for_thirty_days(group: Conversation, alice: User) -> None:
    delete_group(by=alice, conversation_id=group.pk)
    now = timezone.now()
    Departure.objects.filter(user=alice).update(at=now - timedelta(days=30, minutes=1))
    Departure.objects.exclude(user=alice).update(at=now - timedelta(days=29, hours=23))
    clear_up(0)
    assert set(Departure.objects.values_list("user__username", flat=True)) == {"bob", "carol"}
