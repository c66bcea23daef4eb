"""Tokens over REST: what each that is none is called, and how a refresh token is spent once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from django.db.models import F
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.auth.sessions import end_session, start_session
from accounts.auth.token_rotation import start_tokens
from accounts.auth.tokens import issue_pair
from accounts.models import Session, User
from tests.doors.conftest import Rest
from tests.support.browser import PASSWORD
from tests.support.server import Server
from tests.support.together import together


@pytest.fixture
def pair(alice: User) -> dict[str, Any]:
    """What alice's app keeps of having signed in."""
    session = start_session(user=alice, name="a phone")
    return issue_pair(start_tokens(session=session)) | {"session_id": str(session.pk)}


@pytest.fixture
def known(alice: User) -> User:
    """Alice, who can sign in by name."""
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def me(rest: Rest, access: str) -> httpx.Response:
    return rest().get("/users/me", headers={"Authorization": f"Bearer {access}"})


def refresh(rest: Rest, token: str) -> httpx.Response:
    return rest().post("/auth/token/refresh", json={"refresh": token})


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_signing_in_gives_a_person_and_a_pair(rest: Rest, known: User) -> None:
    answer = rest().post("/auth/token", json={"username": "Alice", "password": PASSWORD, "device": "a phone"})
    made = answer.json()["data"]
    assert answer.status_code == 200
    assert made.keys() == {"user", "access", "refresh", "session_id", "device_token"}
    assert me(rest, made["access"]).json()["data"] == made["user"]
    assert Session.objects.get(pk=made["session_id"]).name == "a phone"


def test_registering_signs_in(rest: Rest, committed: None) -> None:
    answer = rest().post("/auth/register", json={"username": "Newcomer", "password": PASSWORD, "display_name": " New "})
    made = answer.json()["data"]
    assert answer.status_code == 201
    assert (made["user"]["username"], made["user"]["display_name"]) == ("newcomer", "New")
    assert me(rest, made["access"]).status_code == 200


@pytest.mark.parametrize("route", ["register", "token", "refresh"])
def test_an_answer_with_tokens_stays_in_no_cache(rest: Rest, known: User, pair: dict[str, Any], route: str) -> None:
    path, body = {
        "register": ("/auth/register", {"username": "newcomer", "password": PASSWORD}),
        "token": ("/auth/token", {"username": "alice", "password": PASSWORD}),
        "refresh": ("/auth/token/refresh", {"refresh": pair["refresh"]}),
    }[route]
    answer = rest().post(path, json=body)
    assert answer.is_success
    assert "no-store" in answer.headers["Cache-Control"]


def run_out(token: str) -> str:
    old = AccessToken(token)
    old.set_exp(lifetime=-timedelta(seconds=1))
    return str(old)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda pair: "nonsense", "not_authenticated"),
        (lambda pair: pair["refresh"], "not_authenticated"),
        (lambda pair: pair["access"][:-3] + "AAA", "not_authenticated"),
        (lambda pair: ".".join(pair["access"].split(".")[:2]) + ".", "not_authenticated"),
        (lambda pair: run_out(pair["access"]), "token_expired"),
    ],
    ids=["nonsense", "a refresh token", "another signature", "no signature", "too old"],
)
def test_a_token_that_is_none_is_called_what_it_is(
    rest: Rest, pair: dict[str, Any], spoil: Callable[[dict[str, Any]], str], expected: str
) -> None:
    answer = me(rest, spoil(pair))
    assert code(answer) == (401, expected)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic YWxpY2U6eA==", "Bearer", "Token x", "Bearer a b"])
def test_another_scheme_is_nobody(rest: Rest, alice: User, header: str) -> None:
    assert code(rest().get("/users/me", headers={"Authorization": header})) == (401, "not_authenticated")


def test_a_session_that_has_ended_is_found_out_on_the_next_call(rest: Rest, pair: dict[str, Any]) -> None:
    end_session(session=Session.objects.get(pk=pair["session_id"]))
    assert code(me(rest, pair["access"])) == (401, "session_revoked")
    assert code(refresh(rest, pair["refresh"])) == (401, "session_revoked")


def test_signing_out_ends_this_session_alone(rest: Rest, pair: dict[str, Any], alice: User, access: Any) -> None:
    other = access(alice)
    answer = rest().post("/auth/logout", headers={"Authorization": f"Bearer {pair['access']}"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(me(rest, pair["access"])) == (401, "session_revoked")
    assert me(rest, other).status_code == 200


def test_a_refresh_token_is_turned_into_the_next_pair(rest: Rest, pair: dict[str, Any]) -> None:
    following = refresh(rest, pair["refresh"]).json()["data"]
    assert following.keys() == {"access", "refresh"}
    assert following["refresh"] != pair["refresh"]
    assert me(rest, following["access"]).status_code == 200
    assert refresh(rest, following["refresh"]).status_code == 200


def test_a_lost_answer_costs_nobody_a_session(rest: Rest, pair: dict[str, Any]) -> None:
    lost, again = refresh(rest, pair["refresh"]), refresh(rest, pair["refresh"])
    assert lost.json()["data"]["refresh"] == again.json()["data"]["refresh"]
    assert me(rest, again.json()["data"]["access"]).status_code == 200


@pytest.mark.parametrize(
    "use",
    [
        lambda rest, following: me(rest, following["access"]),
        lambda rest, following: refresh(rest, following["refresh"]),
    ],
    ids=["access", "refresh"],
)
def test_a_spent_refresh_token_ends_the_session(
    rest: Rest, pair: dict[str, Any], use: Callable[[Rest, dict[str, Any]], httpx.Response]
) -> None:
    following = refresh(rest, pair["refresh"]).json()["data"]
    assert use(rest, following).status_code == 200
    assert code(refresh(rest, pair["refresh"])) == (401, "session_revoked")
    assert code(refresh(rest, following["refresh"])) == (401, "session_revoked")
    assert code(me(rest, following["access"])) == (401, "session_revoked")


def test_a_copy_of_a_refresh_token_follows_its_owner_for_a_minute_at_most(rest: Rest, pair: dict[str, Any]) -> None:
    following = refresh(rest, pair["refresh"]).json()["data"]
    Session.objects.update(refreshed_at=F("refreshed_at") - timedelta(seconds=61))
    assert code(refresh(rest, pair["refresh"])) == (401, "session_revoked")
    assert code(me(rest, following["access"])) == (401, "session_revoked")


def test_two_servers_give_the_same_successor_at_once(
    server: Server, other_server: Server, pair: dict[str, Any]
) -> None:
    def ask(url: str) -> str:
        answer = httpx.post(f"{url}/api/v1/auth/token/refresh", json={"refresh": pair["refresh"]}, timeout=30)
        return str(answer.json()["data"]["refresh"])

    given = together(*(partial(ask, each.url) for each in (server, other_server) * 2))
    assert len(set(given)) == 1
    assert pair["refresh"] not in given


def test_a_confirmation_counts_on_every_server_and_in_one_session(
    server: Server, other_server: Server, known: User, pair: dict[str, Any], access: Any
) -> None:
    mine, other = ({"Authorization": f"Bearer {token}"} for token in (pair["access"], access(known)))
    there = f"{other_server.url}/api/v1/users/me/wallet"
    assert code(httpx.delete(there, headers=mine, timeout=30)) == (403, "confirmation_required")
    shown = httpx.post(f"{server.url}/api/v1/auth/confirm", headers=mine, json={"password": PASSWORD}, timeout=30)
    assert shown.status_code == 204
    assert httpx.delete(there, headers=mine, timeout=30).status_code == 204
    assert code(httpx.delete(there, headers=other, timeout=30)) == (403, "confirmation_required")


def test_a_refresh_token_that_is_none_ends_nothing(rest: Rest, pair: dict[str, Any]) -> None:
    old = RefreshToken(pair["refresh"])
    old.set_exp(lifetime=-timedelta(seconds=1))
    assert code(refresh(rest, "nonsense")) == (401, "not_authenticated")
    assert code(refresh(rest, pair["access"])) == (401, "not_authenticated")
    assert code(refresh(rest, str(old))) == (401, "token_expired")
    assert me(rest, pair["access"]).status_code == 200
