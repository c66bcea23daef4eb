"""What the staff does with people, and the log of it."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from accounts.auth.sessions import SessionEnded, start_session
from accounts.auth.token_rotation import refresh_tokens, start_tokens
from accounts.auth.tokens import Unauthenticated, issue_pair, session_of
from accounts.models import AuditEntry, User
from accounts.staff import moderation
from accounts.staff.audit_log import Staff
from chatproject.core.errors import Invalid, NotAllowed, Suspended

pytestmark = pytest.mark.django_db

HERE = "192.0.2.7"


@pytest.fixture
def by(staff: User) -> Staff:
    return Staff.of(staff, HERE)


@pytest.fixture
def head(person: Callable[..., User]) -> Staff:
    return Staff.of(person("head", is_staff=True, is_superuser=True))


def logged() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "target_kind"))


def test_a_suspended_person_is_told_so_by_every_token_and_keeps_the_session(by: Staff, alice: User) -> None:
    session = start_tokens(session=start_session(user=alice))
    access = issue_pair(session)["access"]
    moderation.suspend(by=by, user_id=alice.pk, reason="Spam")
    for attempt in (
        lambda: session_of(access),
        lambda: refresh_tokens(session_id=session.pk, refresh_id=session.refresh_id),
        lambda: start_session(user=User.objects.get(pk=alice.pk)),
    ):
        with pytest.raises(Suspended, match="Spam"):
            attempt()
    moderation.reinstate(by=by, user_id=alice.pk)
    assert session_of(access).user == alice


def test_the_log_says_who_did_what_to_whom_from_where_and_why(by: Staff, alice: User) -> None:
    moderation.suspend(by=by, user_id=alice.pk, reason=" Spam ")
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.action, entry.target_id, entry.ip) == (by.user, "suspend", alice.pk, HERE)
    assert (entry.reason, entry.before["suspended_at"], entry.after["suspension_reason"]) == ("Spam", None, "Spam")


def test_doing_it_again_changes_nothing_and_is_not_logged(by: Staff, alice: User) -> None:
    for _ in range(2):
        moderation.suspend(by=by, user_id=alice.pk, reason="Spam")
    for _ in range(2):
        moderation.reinstate(by=by, user_id=alice.pk)
    assert logged() == [("suspend", "person"), ("reinstate", "person")]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\0b", "\ud800"])
def test_without_a_reason_nobody_is_suspended(by: Staff, alice: User, reason: str) -> None:
    with pytest.raises(Invalid):
        moderation.suspend(by=by, user_id=alice.pk, reason=reason)
    assert logged() == []


def test_ending_the_sessions_of_someone_signs_them_out_everywhere(by: Staff, alice: User) -> None:
    session = start_tokens(session=start_session(user=alice))
    access = issue_pair(session)["access"]
    moderation.end_sessions(by=by, user_id=alice.pk)
    with pytest.raises(Unauthenticated):
        session_of(access)
    with pytest.raises(SessionEnded):
        refresh_tokens(session_id=session.pk, refresh_id=session.refresh_id)
    assert AuditEntry.objects.get().before == {"sessions": 1}


def test_a_superuser_makes_and_unmakes_staff(head: Staff, alice: User) -> None:
    assert moderation.set_staff(by=head, user_id=alice.pk, is_staff=True).is_staff
    assert not moderation.set_staff(by=head, user_id=alice.pk, is_staff=False).is_staff
    assert logged() == [("make_staff", "person"), ("unmake_staff", "person")]


def test_a_member_of_the_staff_makes_nobody_one(by: Staff, alice: User) -> None:
    with pytest.raises(NotAllowed):
        moderation.set_staff(by=by, user_id=alice.pk, is_staff=True)


ACTS = [
    lambda by, user: moderation.suspend(by=by, user_id=user.pk, reason="Spam"),
    lambda by, user: moderation.reinstate(by=by, user_id=user.pk),
    lambda by, user: moderation.end_sessions(by=by, user_id=user.pk),
]


@pytest.mark.parametrize("act", ACTS)
def test_nobody_acts_on_themselves_and_none_of_the_staff_on_another(
    act: Callable[[Staff, User], User], by: Staff, head: Staff
) -> None:
    for actor, target in ((by, by.user), (by, head.user), (head, head.user)):
        with pytest.raises(NotAllowed):
            act(actor, target)
    act(head, by.user)


def test_only_the_staff_is_staff(alice: User) -> None:
    with pytest.raises(NotAllowed):
        Staff.of(alice)


def test_where_a_second_factor_is_required_staff_without_one_may_do_nothing(staff: User, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    with pytest.raises(NotAllowed, match="second factor"):
        Staff.of(staff)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET reason = ''",
        "DELETE FROM accounts_auditentry",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE accounts_auditentry",
    ],
)
def test_nothing_that_was_logged_can_be_changed(by: Staff, alice: User, statement: str) -> None:
    moderation.suspend(by=by, user_id=alice.pk, reason="Spam")
    with pytest.raises(DatabaseError, match="only added to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().reason == "Spam"
