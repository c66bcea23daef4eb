"""Reports through REST and pages, and how what came of them is heard."""

from uuid import UUID

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from accounts.staff.audit_log import Staff
from conversations.models import Conversation
from messaging.models import Report
from messaging.moderation.reports import resolve_report
from tests.accounts.visitor import Visitor, here
from tests.doors.conftest import Rest
from tests.messaging.helpers import say
from tests.support.client import Client
from tests.support.server import Server

SHOWN = {
    "id",
    "user_id",
    "message_id",
    "reason",
    "comment",
    "state",
    "outcome",
    "created_at",
    "resolved_at",
}


def test_a_report_is_made_once_and_listed(rest: Rest, alice, bob, conversation) -> None:
    said = say(bob, conversation, "Buy my watches")
    body = {"message_id": said["id"], "reason": "spam", "comment": "Again"}
    made, again = (rest(alice).post("/reports", json=body) for _ in range(2))
    assert (made.status_code, again.status_code) == (201, 200)
    assert set(made.json()["data"]) == SHOWN
    assert (made.json()["data"]["state"], made.json()["data"]["comment"]) == ("open", "Again")
    assert rest(alice).get("/reports").json()["data"] == [again.json()["data"]]
    assert rest(bob).get("/reports").json()["data"] == []


def test_the_list_comes_in_pages(rest: Rest, alice, bob, carol) -> None:
    for person in (bob, carol):
        rest(alice).post("/reports", json={"user_id": str(person.pk), "reason": "other"})
    first = rest(alice).get("/reports?limit=1").json()
    second = rest(alice).get(f"/reports?limit=1&cursor={first['pagination']['next']}").json()
    assert [page["data"][0]["user_id"] for page in (first, second)] == [str(carol.pk), str(bob.pk)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": "spam"}, "/message_id"),
        ({"reason": "spam", "message_id": "{bob}", "user_id": "{bob}"}, "/message_id"),
        ({"reason": "boring", "user_id": "{bob}"}, "/reason"),
        ({"reason": 7, "user_id": "{bob}"}, "/reason"),
        ({"reason": "spam", "user_id": "bob"}, "/user_id"),
        ({"reason": "spam", "user_id": "{bob}", "comment": "x" * 1001}, "/comment"),
        ({"reason": "spam", "user_id": "{bob}", "comment": None}, "/comment"),
        ({"reason": "spam", "user_id": "{bob}", "comment": "a\0b"}, "/comment"),
    ],
)
def test_what_is_no_report_is_refused(rest: Rest, alice, bob, body, pointer) -> None:
    sent = {name: value.format(bob=bob.pk) if isinstance(value, str) else value for name, value in body.items()}
    answer = rest(alice).post("/reports", json=sent)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert not Report.objects.exists()


async def test_the_reporter_hears_the_outcome_on_the_other_server(
    server: Server, other_server: Server, access, staff: User, alice: User, bob: User, conversation: Conversation
) -> None:
    said = await sync_to_async(say)(bob, conversation, "Buy my watches")
    token = await sync_to_async(access)(alice)
    async with Client(server.url, access=token) as app, Client(other_server.url, access=token) as screen:
        made = (await app.post("/reports", message_id=said["id"], reason="spam")).json()["data"]
        async with screen.socket() as socket:
            await sync_to_async(resolve_report)(
                by=Staff.of(staff), report_id=UUID(made["id"]), outcome="deleted", words="Spam"
            )
            assert (await socket.next("message.updated"))["message"]["deleted_at"]
            told = (await socket.next("message.created"))["message"]
            assert "the message was deleted" in told["text"]
        assert (await app.get("/reports")).json()["data"][0]["outcome"] == "deleted"


@pytest.mark.django_db
def test_a_person_is_reported_on_a_page_and_the_outcome_stands_there(staff: User, alice: User, bob: User) -> None:
    visitor = Visitor(alice)
    answer = visitor.submit(f"/people/{bob.pk}/report", reason="harassment", comment="Rude")
    assert here(answer) == "/settings/reports"
    assert "Waiting" in answer.content.decode()
    resolve_report(by=Staff.of(staff), report_id=Report.objects.get().pk, outcome="warned", words="Be kind")
    assert "The person was warned" in visitor.get("/settings/reports").content.decode()


@pytest.mark.django_db
def test_a_report_without_a_reason_says_what_is_missing(alice: User, bob: User) -> None:
    answer = Visitor(alice).submit(f"/people/{bob.pk}/report", comment="Rude")
    assert answer.status_code == 400
    assert "required" in answer.content.decode()
