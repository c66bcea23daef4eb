"""Signing out: the server leaves nothing of a person in the browser."""

from typing import Any

import pytest
from django.test import Client

from accounts.auth.sessions import end_all_sessions
from accounts.models import User
from conversations.models import Conversation
from tests.accounts.conftest import code
from tests.accounts.visitor import PASSWORD, Visitor
from tests.messaging.helpers import place, say

pytestmark = pytest.mark.django_db
CLEARED = '"cache", "storage"'


def draft(client: Client, conversation: Conversation, **headers: str) -> Any:
    """Save half a text by the cookie, as a page does."""
    path, body = f"/api/v1/conversations/{conversation.pk}/me", {"draft": "Half a text"}
    return client.patch(path, body, content_type="application/json", headers=headers)


# A page says whose it is


@pytest.fixture
def bobs_browser(bob: User) -> Client:
    """Bob's browser; what it has to prove against forgery has tests of its own."""
    client = Visitor(bob).client
    client.handler.enforce_csrf_checks = False
    return client


def test_what_a_page_of_another_person_saves_is_refused(
    bobs_browser: Client, alice: User, bob: User, conversation: Conversation
) -> None:
    answer = draft(bobs_browser, conversation, **{"X-User-ID": str(alice.pk)})
    assert code(answer) == (401, "not_authenticated")
    assert not any(place(user, conversation).draft for user in (alice, bob))


def test_a_page_of_another_person_reads_nothing(bobs_browser: Client, alice: User) -> None:
    answer = bobs_browser.get("/api/v1/conversations", headers={"X-User-ID": str(alice.pk)})
    assert code(answer) == (401, "not_authenticated")


@pytest.mark.parametrize("whose", ["me", None])
def test_one_s_own_page_saves(bobs_browser: Client, bob: User, conversation: Conversation, whose: str | None) -> None:
    headers = {"X-User-ID": str(bob.pk)} if whose else {}
    assert draft(bobs_browser, conversation, **headers).status_code == 200
    assert place(bob, conversation).draft


# A browser forgets


def test_signing_out_clears_the_browser(alice: User) -> None:
    visitor = Visitor(alice)
    page = visitor.submit("/accounts/logout/")
    assert page.redirect_chain
    answer = Visitor(alice)
    left = answer.client.post("/accounts/logout/", {"csrfmiddlewaretoken": _token(answer)})
    assert (left.status_code, left["Clear-Site-Data"]) == (302, CLEARED)


def _token(visitor: Visitor) -> str:
    visitor.get("/settings/profile")
    return visitor.client.cookies["csrftoken"].value


def test_closing_the_account_clears_the_browser(dora: User) -> None:
    visitor = Visitor(dora)
    sent = {"csrfmiddlewaretoken": _token(visitor), "password": PASSWORD}
    assert visitor.client.post("/settings/close", sent)["Clear-Site-Data"] == CLEARED


def test_a_session_that_was_ended_elsewhere_clears_the_browser_once(alice: User) -> None:
    visitor = Visitor(alice)
    assert "Clear-Site-Data" not in visitor.client.get("/").headers
    end_all_sessions(user=alice)
    assert visitor.client.get("/")["Clear-Site-Data"] == CLEARED
    assert "Clear-Site-Data" not in visitor.client.get("/").headers


def test_signing_in_clears_nothing_of_the_same_person(dora: User) -> None:
    visitor = Visitor()
    answer = visitor.submit("/accounts/login/", login="dora", password=PASSWORD)
    assert [each for each, _ in answer.redirect_chain] == ["/"]
    assert "Clear-Site-Data" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/", "/archived", "/settings", "/contacts", "/conversations/new", "/nowhere", "talk", "info", "message", "person"],
)
def test_no_page_of_someone_is_stored(alice: User, bob: User, conversation: Conversation, path: str) -> None:
    said = say(bob, conversation, "Hi")["id"]
    paths = {
        "talk": f"/conversations/{conversation.pk}",
        "info": f"/conversations/{conversation.pk}/info",
        "message": f"/messages/{said}",
        "person": f"/people/{bob.pk}",
    }
    answer = Visitor(alice).get(paths.get(path, path))
    assert "no-store" in answer["Cache-Control"]
