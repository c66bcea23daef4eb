"""Reports, and the commands of the staff that resolve them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import SERVICE_ID, AuditEntry, User
from accounts.staff.audit_log import Staff
from accounts.staff.service_account import service_account
from chatproject.core.errors import Blocked, Conflict, Invalid, NotAllowed, Unprocessable
from chatproject.core.ids import uuid7
from conversations import groups
from conversations.contacts import blocks, profile
from conversations.creation import start_direct
from conversations.models import Conversation
from messaging.messages.edit import delete_message
from messaging.messages.send import send_direct
from messaging.messages.service_messages import send_service_message
from messaging.models import Message, Report
from messaging.moderation import commands as moderation
from messaging.moderation import reports
from messaging.retention import purge
from messaging.sync.history import direct_history, get_message
from tests.messaging.helpers import say

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(staff: User) -> Staff:
    return Staff.of(staff)


@pytest.fixture
def said(bob: User, conversation: Conversation) -> UUID:
    return UUID(say(bob, conversation, "Buy my watches")["id"])


def service_messages(user: User) -> list[str]:
    """Return the service messages that someone has received."""
    return [each["text"] for each in direct_history(by=user, friend_id=SERVICE_ID).items]


def report(by: User, message_id: UUID, comment: str = "") -> Report:
    return reports.report_message(by=by, message_id=message_id, reason="spam", comment=comment)[0]


def test_a_report_keeps_a_sealed_copy_of_what_was_said(alice: User, bob: User, said: UUID) -> None:
    made = report(alice, said, "He does this all day")
    delete_message(by=bob, message_id=said)
    made.refresh_from_db()
    assert (reports.unsealed(made, "copy"), reports.unsealed(made, "comment")) == (
        "Buy my watches",
        "He does this all day",
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM messaging_report r")
        assert b"watches".hex() not in cursor.fetchone()[0]


def test_reporting_the_same_again_returns_the_open_report(alice: User, bob: User, said: UUID) -> None:
    first, again = (reports.report_message(by=alice, message_id=said, reason="spam") for _ in range(2))
    assert (first[0], first[1], again[1]) == (again[0], True, False)
    assert [reports.report_person(by=alice, user=bob, reason="hate")[1] for _ in range(2)] == [True, False]


def test_a_stranger_can_report_no_message_of_a_conversation(mallory: User, said: UUID) -> None:
    with pytest.raises(Message.DoesNotExist):
        report(mallory, said)


def test_notices_and_deleted_messages_cannot_be_reported(
    alice: User, bob: User, said: UUID, group: Conversation
) -> None:
    delete_message(by=bob, message_id=said)
    groups.update_group(by=alice, conversation_id=group.pk, name="Orchard")
    notice = Message.objects.filter(conversation=group, kind="notice").latest("position")
    for id, who in ((said, alice), (notice.pk, bob)):
        with pytest.raises(Unprocessable):
            report(who, id)
    with pytest.raises(Unprocessable):
        reports.report_person(by=alice, user=alice, reason="spam")


@pytest.mark.parametrize("comment", ["a\0b", "\ud800"])
def test_a_comment_can_be_stored(alice: User, said: UUID, comment: str) -> None:
    with pytest.raises(Invalid):
        report(alice, said, comment)


def test_a_deleted_message_leaves_a_tombstone_and_the_reporter_gets_an_answer(
    by: Staff, alice: User, said: UUID
) -> None:
    made = report(alice, said)
    reports.resolve_report(by=by, report_id=made.pk, outcome="deleted")
    assert get_message(by=alice, message_id=said)["deleted_at"]
    assert "the message was deleted" in service_messages(alice)[-1]
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["resolve_report", "delete_message"]


def test_a_warning_reaches_the_person_in_the_words_of_the_staff(by: Staff, alice: User, bob: User, said: UUID) -> None:
    reports.resolve_report(by=by, report_id=report(alice, said).pk, outcome="warned", words="No selling here")
    assert "No selling here" in service_messages(bob)[-1]
    assert "the person was warned" in service_messages(alice)[-1]
    assert "alice" not in " ".join(service_messages(bob)).lower()


def test_a_person_is_suspended_for_the_reason_given(by: Staff, alice: User, bob: User, said: UUID) -> None:
    reports.resolve_report(by=by, report_id=report(alice, said).pk, outcome="suspended", words="Selling")
    bob.refresh_from_db()
    assert (bob.suspension_reason, service_messages(alice)[-1].endswith("the person was suspended.")) == (
        "Selling",
        True,
    )


def test_a_dismissed_report_changes_nothing_but_is_answered(by: Staff, alice: User, said: UUID) -> None:
    reports.resolve_report(by=by, report_id=report(alice, said).pk, outcome="dismissed")
    assert get_message(by=alice, message_id=said)["text"] == "Buy my watches"
    assert "nothing there breaks" in service_messages(alice)[-1]


def test_everyone_who_reported_the_same_message_gets_one_answer(
    by: Staff, alice: User, bob: User, carol: User, group
) -> None:
    said = UUID(say(bob, group, "Buy my watches")["id"])
    first, other = report(alice, said), report(carol, said)
    assert reports.resolve_report(by=by, report_id=other.pk, outcome="dismissed") == [first, other]
    assert len(service_messages(alice)) == len(service_messages(carol)) == 1
    with pytest.raises(Conflict):
        reports.resolve_report(by=by, report_id=first.pk, outcome="dismissed")


@pytest.mark.parametrize("outcome", ["warned", "suspended"])
def test_without_a_text_nobody_is_warned_or_suspended(by: Staff, alice: User, said: UUID, outcome: str) -> None:
    made = report(alice, said)
    with pytest.raises(Invalid):
        reports.resolve_report(by=by, report_id=made.pk, outcome=outcome)
    made.refresh_from_db()
    assert made.resolved_at is None


@pytest.mark.parametrize("outcome", ["warned", "suspended", "dismissed"])
def test_no_staff_member_resolves_a_report_about_themselves_or_another(
    by: Staff, person: Callable[..., User], alice: User, outcome: str
) -> None:
    for reported in (by.user, person("dora", is_staff=True)):
        made, _ = reports.report_person(by=alice, user=reported, reason="spam")
        with pytest.raises(NotAllowed):
            reports.resolve_report(by=by, report_id=made.pk, outcome=outcome, words="Spam")


def test_nobody_writes_to_the_service_account_or_blocks_it(alice: User) -> None:
    service = service_account()
    with pytest.raises(Blocked):
        start_direct(by=alice, to=service)
    send_service_message([alice], "Hello")
    with pytest.raises(Blocked):
        send_direct(by=alice, to=service, text="Hi", id=uuid7())
    with pytest.raises(Unprocessable):
        blocks.block(by=alice, other=service)


def test_the_service_account_reaches_people_who_accept_only_contacts(alice: User) -> None:
    profile.update_me(by=alice, settings={"write": "contacts"})
    send_service_message([alice], "Hello")
    assert service_messages(alice) == ["Hello"]


def test_the_service_account_finds_a_name_where_its_own_is_taken() -> None:
    User.objects.create_user("parley")
    assert service_account().username.startswith("parley-")
    assert service_account().pk == SERVICE_ID


def test_an_account_is_closed_by_the_staff_as_by_its_owner(by: Staff, bob: User) -> None:
    moderation.close_account(by=by, user_id=bob.pk, reason="A minor")
    bob.refresh_from_db()
    assert bob.closed_at
    assert AuditEntry.objects.get().before["username"] == "bob"


def test_the_texts_of_a_report_are_deleted_some_time_after_its_resolution(
    by: Staff, alice: User, carol: User, group
) -> None:
    old, new = (report(alice, UUID(say(carol, group, text)["id"]), "Rude") for text in ("Old", "New"))
    for each in (old, new):
        reports.resolve_report(by=by, report_id=each.pk, outcome="dismissed")
    Report.objects.filter(pk=old.pk).update(resolved_at=timezone.now() - timedelta(days=91))
    purge.forget_reports()
    for each, kept in ((old, ("", "")), (new, ("New", "Rude"))):
        each.refresh_from_db()
        assert (reports.unsealed(each, "copy"), reports.unsealed(each, "comment")) == kept
