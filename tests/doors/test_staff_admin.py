"""The staff's room: what is shown there, what is not, and what may be done."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib import admin
from django.urls import reverse
from pytest_django import Settings

from accounts.models import AuditEntry, Session, User
from chatproject.core.redis import redis
from conversations.invite_links import make_link
from conversations.models import Conversation, InviteLink, Participant
from messaging.messages.service_messages import send_service_message
from messaging.models import Message, Report
from messaging.moderation.reports import report_message
from messaging.sync.history import get_message
from tests.accounts.visitor import Visitor, here
from tests.messaging.helpers import say

pytestmark = pytest.mark.django_db

SECRET = "The treasure is under the oak"


@pytest.fixture
def desk(staff: User) -> Visitor:
    return Visitor(staff)


@pytest.fixture
def said(bob: User, conversation: Conversation) -> UUID:
    return UUID(say(bob, conversation, SECRET)["id"])


@pytest.fixture
def report(alice: User, said: UUID) -> Report:
    return report_message(by=alice, message_id=said, reason="spam", comment="Not nice")[0]


def page_of(thing: Any, act: str = "") -> str:
    """The address of something in the admin, or of an act on it."""
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
    return reverse(f"{name}_act", args=[thing.pk, act]) if act else reverse(f"{name}_change", args=[thing.pk])


def do(desk: Visitor, thing: Any, act: str, **filled: Any) -> str:
    answer = desk.submit(page_of(thing, act), **filled)
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


def logged() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize("path", ["/admin/", "/admin/connected/", "/admin/announce/", "/admin/accounts/user/"])
def test_strangers_and_people_are_sent_away(path: str, alice: User) -> None:
    assert here(Visitor().get(path)) == "/accounts/login/"
    assert Visitor(alice).get(path).status_code == 403


def test_where_a_second_factor_is_required_staff_is_told_to_set_one_up(desk: Visitor, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    answer = desk.get("/admin/")
    assert here(answer) == "/settings/security"
    assert "second factor" in answer.content.decode()


def test_with_a_second_factor_the_room_is_open(desk: Visitor, staff: User, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    TOTP.activate(staff, generate_totp_secret())
    RecoveryCodes.activate(staff)
    assert here(desk.get("/admin/")) == "/admin/"


def test_nothing_is_there_but_what_is_made_for_the_staff() -> None:
    shown = {model.__name__ for model in admin.site._registry}
    assert shown == {
        "User",
        "AuditEntry",
        "Conversation",
        "Participant",
        "InviteLink",
        "Message",
        "MessageStatus",
        "Attachment",
        "Report",
        "ProcrastinateJob",
    }


@pytest.mark.usefixtures("report")
def test_every_list_and_page_opens_and_none_shows_what_was_said(
    desk: Visitor, alice: User, group: Conversation, conversation: Conversation
) -> None:
    make_link(by=alice, conversation_id=group.pk)
    send_service_message([alice], "Hello")
    desk.get("/admin/connected/")
    shown = [desk.get("/admin/")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        shown.append(desk.get(reverse(f"{name}_changelist")))
        shown += [desk.get(reverse(f"{name}_change", args=[thing.pk])) for thing in model._default_manager.all()[:3]]
    assert {answer.status_code for answer in shown} == {200}
    assert len(shown) > 20
    # What the reporter has shown them is on the report's page alone.
    assert sum(SECRET in answer.content.decode() for answer in shown) == 1


@pytest.mark.parametrize(
    "search",
    [
        "/accounts/user/?q=ali",
        "/conversations/conversation/?q=alice",
        "/messaging/message/?kind=text",
        "/messaging/report/?q=bob",
    ],
)
@pytest.mark.usefixtures("report")
def test_lists_are_searched(desk: Visitor, search: str) -> None:
    answer = desk.get(f"/admin{search}")
    assert answer.status_code == 200
    assert "0 results" not in answer.content.decode()


@pytest.mark.parametrize("way", ["change", "delete", "add"])
def test_nothing_is_changed_here_but_by_acts(desk: Visitor, bob: User, way: str) -> None:
    path = page_of(bob) if way == "change" else page_of(bob).replace("change", "delete")
    path = "/admin/accounts/user/add/" if way == "add" else path
    assert desk.post(path, username="mallory", display_name="M", post="yes").status_code == 403
    bob.refresh_from_db()
    assert bob.username == "bob"


def test_someone_is_suspended_and_let_in_again(desk: Visitor, bob: User) -> None:
    page = do(desk, bob, "suspend", reason="Selling watches")
    assert "Selling watches" in page
    do(desk, bob, "reinstate")
    bob.refresh_from_db()
    assert bob.suspended_at is None
    assert logged() == ["suspend", "reinstate"]


def test_a_suspension_needs_a_reason(desk: Visitor, bob: User) -> None:
    assert desk.submit(page_of(bob, "suspend"), reason=" ").status_code == 400
    assert logged() == []


@pytest.mark.parametrize(
    ("act", "filled", "action"),
    [
        ("warn", {"words": "Be kind"}, "warn"),
        ("disconnect", {}, "disconnect"),
        ("end-sessions", {}, "end_sessions"),
        ("close", {"reason": "A minor"}, "close_account"),
    ],
)
def test_what_may_be_done_about_a_person_is_done_and_logged(
    desk: Visitor, bob: User, act: str, filled: dict[str, str], action: str
) -> None:
    do(desk, bob, act, **filled)
    assert logged() == [action]
    entry = AuditEntry.objects.get()
    assert (entry.target_id, entry.ip) == (bob.pk, "127.0.0.1")


def test_only_a_superuser_names_staff(desk: Visitor, person: Callable[..., User], bob: User) -> None:
    assert desk.get(page_of(bob, "make-staff")).status_code == 404
    head = Visitor(person("head", is_staff=True, is_superuser=True))
    do(head, bob, "make-staff")
    bob.refresh_from_db()
    assert bob.is_staff
    do(head, bob, "unmake-staff")
    assert logged() == ["make_staff", "unmake_staff"]


def test_nobody_acts_on_themselves_or_others_of_the_staff(desk: Visitor, staff: User, person: Any) -> None:
    for other in (staff, person("dora", is_staff=True)):
        assert desk.get(page_of(other, "suspend")).status_code == 404
        assert "Suspend<" not in desk.get(page_of(other)).content.decode()


def test_the_glass_is_broken_for_a_reason_alone(desk: Visitor, conversation: Conversation, said: UUID) -> None:
    refused = desk.submit(page_of(conversation, "read"), reason="")
    assert (refused.status_code, SECRET in refused.content.decode(), logged()) == (400, False, [])
    page = do(desk, conversation, "read", reason="A court order")
    assert SECRET in page
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.reason, entry.target_id) == ("read_conversation", "A court order", conversation.pk)


def test_a_long_conversation_is_read_page_by_page_and_each_is_logged(
    desk: Visitor, alice: User, conversation: Conversation
) -> None:
    for n in range(102):
        say(alice, conversation, f"Number {n}!")
    page = do(desk, conversation, "read", reason="A court order")
    assert ("Number 101!" in page, "Number 1!" in page) == (True, False)
    path = page_of(conversation, "read")
    older = desk.post(path, reason="A court order", before=3).content.decode()
    assert ("Number 1!" in older, "Number 101!" in older) == (True, False)
    assert logged() == ["read_conversation"] * 2


def test_a_link_is_revoked(desk: Visitor, alice: User, group: Conversation) -> None:
    link, _ = make_link(by=alice, conversation_id=group.pk)
    do(desk, link, "revoke")
    link.refresh_from_db()
    assert link.revoked_at
    assert desk.get(page_of(link, "revoke")).status_code == 404


def test_the_queue_shows_what_was_reported_and_is_worked_off(
    desk: Visitor, alice: User, report: Report, said: UUID
) -> None:
    queue = "/admin/messaging/report/?resolved_at__isempty=1"
    assert "Spam or fraud" in desk.get(queue).content.decode()
    shown = desk.get(page_of(report)).content.decode()
    assert (SECRET in shown, "Not nice" in shown) == (True, True)
    do(desk, report, "deleted", words="Against the rules")
    assert get_message(by=alice, message_id=said)["deleted_at"]
    assert "0 reports" in desk.get(queue).content.decode()
    assert desk.get(page_of(report, "deleted")).status_code == 404


def test_what_a_command_refuses_is_said_on_the_page(desk: Visitor, report: Report, bob: User) -> None:
    bob.is_staff = True
    bob.save()
    answer = desk.submit(page_of(report, "suspended"), words="Spam")
    assert answer.status_code == 400
    assert "Only a superuser" in answer.content.decode()
    report.refresh_from_db()
    assert report.resolved_at is None


def test_a_deleted_report_or_person_is_not_there(desk: Visitor) -> None:
    assert desk.get(f"/admin/accounts/user/{Session().pk}/act/suspend/").status_code == 404
    assert desk.get("/admin/accounts/user/nobody/act/suspend/").status_code == 404


def test_an_announcement_is_made_on_a_page(desk: Visitor) -> None:
    answer = desk.submit("/admin/announce/", text="Back at noon")
    assert "Everyone who is connected sees it now." in answer.content.decode()
    assert AuditEntry.objects.get().after == {"text": "Back at noon"}


def test_the_page_that_looks_again_by_itself_is_logged_once(desk: Visitor) -> None:
    for _ in range(3):
        assert desk.get("/admin/connected/").status_code == 200
    assert logged() == ["see_connected"]


def test_the_status_of_a_message_is_shown_without_what_it_says(desk: Visitor, said: UUID) -> None:
    page = desk.get(page_of(Message.objects.get(pk=said))).content.decode()
    assert ("Who has it" in page, "Alice" in page, SECRET in page) == (True, True, False)


def test_of_a_place_nothing_is_shown_that_is_ones_own(desk: Visitor, alice: User, conversation: Conversation) -> None:
    place = Participant.objects.get(user=alice, conversation=conversation)
    assert "draft" not in desk.get(page_of(place)).content.decode().lower()


def test_tokens_of_links_are_not_shown(desk: Visitor, alice: User, group: Conversation) -> None:
    link, token = make_link(by=alice, conversation_id=group.pk)
    shown = desk.get(page_of(InviteLink.objects.get(pk=link.pk))).content.decode()
    assert (token in shown, "hash" in shown.lower()) == (False, False)


@pytest.fixture
def redis_is_away(settings: Settings) -> Iterator[None]:
    """Nobody answers where Redis should be."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis.cache_clear()
    yield
    redis.cache_clear()


@pytest.mark.parametrize(("act", "filled"), [("disconnect", {}), ("announce", {"text": "Hello"})])
def test_without_redis_the_page_says_so_and_nothing_is_logged(
    desk: Visitor, bob: User, redis_is_away: None, act: str, filled: dict[str, str]
) -> None:
    path = page_of(bob, act) if act == "disconnect" else "/admin/announce/"
    answer = desk.submit(path, **filled)
    assert (answer.status_code, "Redis does not answer" in answer.content.decode()) == (400, True)
    assert "Redis does not answer" in desk.get("/admin/connected/").content.decode()
    assert logged() == ["see_connected"]
