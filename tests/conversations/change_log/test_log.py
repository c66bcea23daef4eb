"""What is in the log: every version of every conversation, whoever gave it."""

from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F

from accounts.models import User
from chatproject.core.ids import uuid7
from conversations.creation import create_group
from conversations.groups import delete_group, update_group
from conversations.models import ChangeLogEntry, Conversation
from messaging.messages.append_sql import parameters, statement
from messaging.messages.draft import make_draft
from tests.conversations.change_log.recorder import Recorder, is_deleted, is_whole
from tests.messaging.helpers import say

pytestmark = pytest.mark.usefixtures("committed")


def logged() -> list[tuple[list[UUID], list[int], list[int | None]]]:
    found = ChangeLogEntry.objects.order_by("seq")
    return list(found.values_list("conversation_ids", "from_versions", "through_versions"))


def test_a_message_is_one_entry(alice: User, conversation: Conversation) -> None:
    ChangeLogEntry.objects.all().delete()
    say(alice, conversation, "Hi")
    version = Conversation.objects.get(pk=conversation.pk).version
    assert logged() == [([conversation.pk], [version - 1], [version])]


def test_a_batch_is_one_entry(alice: User, conversation: Conversation, group: Conversation) -> None:
    versions = {each.pk: each.version for each in Conversation.objects.all()}
    ChangeLogEntry.objects.all().delete()
    said = [(conversation.pk, 2), (group.pk, 3)]
    drafts = [
        make_draft(sender_id=alice.pk, conversation_id=id, text=f"Number {n}")
        for id, count in said
        for n in range(count)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement(drafts), parameters(drafts, retention_days=90))
    ((ids, before, after),) = logged()
    changes = {id: (old, new) for id, old, new in zip(ids, before, after, strict=True)}
    assert changes == {id: (versions[id], versions[id] + count) for id, count in said}


def test_a_new_conversation_comes_from_0_and_a_deleted_one_goes_to_nothing(recorder: Recorder, alice: User) -> None:
    recorder.catch_up()
    group = create_group(by=alice, name="Short", participants=[])
    delete_group(by=alice, conversation_id=group.pk)
    recorder.catch_up()
    assert is_deleted(recorder.recorded()[group.pk])
    assert logged()[-1][2] == [None]


def test_what_changes_no_version_is_not_logged(group: Conversation) -> None:
    ChangeLogEntry.objects.all().delete()
    Conversation.objects.filter(pk=group.pk).update(active_at=F("created_at"))
    Conversation.objects.filter(pk=uuid7()).update(version=F("version") + 1)
    assert logged() == []


def test_commands_are_logged_as_they_come(recorder: Recorder, alice: User, group: Conversation) -> None:
    recorder.catch_up()
    update_group(by=alice, conversation_id=group.pk, name="Orchard")
    say(alice, group, "Look")
    recorder.catch_up()
    assert is_whole(recorder.recorded()[group.pk], Conversation.objects.get(pk=group.pk).version)


def test_what_is_rolled_back_leaves_no_entry(group: Conversation) -> None:
    before = len(logged())
    with transaction.atomic():
        Conversation.objects.filter(pk=group.pk).update(version=F("version") + 1)
        transaction.set_rollback(True)
    assert len(logged()) == before
