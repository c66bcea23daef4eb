"""Every REST route: its methods, the ids in its path, its query parameters, and who must sign in first."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest

from accounts import urls as accounts
from accounts.models import User
from conversations.models import Conversation
from messaging.api import urls as messaging
from tests.doors.conftest import Rest
from tests.doors.example_calls import BOB, CONVERSATION, UNKNOWN, V4
from tests.doors.problems import assert_problem, pointers

OPEN = {"/auth/wallet", "/auth/wallet/nonce", "/auth/register", "/auth/token", "/auth/token/refresh", "/server"}


def routes() -> Iterator[tuple[str, set[str]]]:
    """Every route below /api/v1, with ids in it that name nothing, and the methods that it takes."""
    for pattern in (*accounts.api, *messaging.urlpatterns):
        # DRF adds HEAD, which has no body to look at, once a view has been called in this process.
        methods = {method.upper() for method in pattern.callback.actions} - {"HEAD"}
        yield "/" + re.sub(r"<(pk|id)>", UNKNOWN, str(pattern.pattern)).replace("<emoji>", "👍"), methods
    yield "/server", {"GET"}


def test_a_method_that_a_route_does_not_take_is_405(rest: Rest, alice: User) -> None:
    client = rest(alice)
    for path, taken in routes():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - taken:
            answer = client.request(method, path, json={})
            assert_problem(answer, 405, "method_not_allowed")
            assert taken <= set(answer.headers["Allow"].split(", ")), (method, path)


def test_there_is_nothing_behind_a_trailing_slash(rest: Rest, alice: User) -> None:
    client = rest(alice)
    for path, taken in (*routes(), ("/nothing", {"GET"}), ("", {"GET", "POST"})):
        for method in taken:
            assert_problem(client.request(method, f"{path}/"), 404, "not_found")


def test_nobody_gets_in_without_signing_in(rest: Rest) -> None:
    client = rest()
    for path, taken in routes():
        for method in taken if path not in OPEN else ():
            answer = client.request(method, path, json={})
            assert_problem(answer, 401, "not_authenticated")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_id_in_a_path_is_a_uuid_version_7(rest: Rest, alice: User, staff: User) -> None:
    hers, desk = rest(alice), rest(staff)
    for path, taken in routes():
        client = desk if path.startswith("/ws/") else hers
        for id in ("x", "5", V4, UUID(UNKNOWN).hex, "%00", "%ff", "x" * 1000) if UNKNOWN in path else ():
            answer = client.request(min(taken), path.replace(UNKNOWN, id), json={"through": 0})
            assert pointers(assert_problem(answer, 400, "invalid")) == ["/id"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/messages/a/b/c",
        "/server/time",
        "/MESSAGES",
        "/%00",
        "/%ff",
        "/messages%2f",
        "/../api/v2/server",
    ],
)
def test_an_unknown_route_is_a_problem_too(rest: Rest, alice: User, path: str) -> None:
    assert_problem(rest(alice).get(path), 404, "not_found")
    assert_problem(rest().post(path), 404, "not_found")


QUERIES = [
    ("/conversations", "limit", ["0", "-1", "abc", "1.5", "", "٣", "1 "]),
    ("/conversations", "archived", ["maybe", "", "2"]),
    ("/conversations", "cursor", ["abc", "a:b", "é", "x" * 5000, "\0", "WzFd:1abc:xyz"]),
    ("/messages/conversation/{conversation}", "limit", ["0", "-1", "abc", "", "1e3"]),
    ("/messages/conversation/{conversation}", "before", ["-1", "abc", "", "1.5", "1" * 30]),
    ("/messages/conversation/{conversation}", "after", ["-1", "abc", ""]),
    ("/messages/conversation/{conversation}", "around", ["-1", "abc", ""]),
    ("/messages/friend/{bob}", "limit", ["0", "abc"]),
    ("/messages/friend/{bob}", "before", ["-1", "abc"]),
]


@pytest.mark.parametrize(("path", "name", "values"), QUERIES, ids=lambda it: it if isinstance(it, str) else "")
def test_a_query_that_is_not_right_is_named(
    rest: Rest, names: dict[str, str], alice: User, path: str, name: str, values: list[str]
) -> None:
    client, path = rest(alice), path.format(conversation=names[CONVERSATION], bob=names[BOB])
    for value in values:
        assert pointers(assert_problem(client.get(path, params={name: value}), 400, "invalid")) == [f"/{name}"], value


def test_history_is_read_from_one_side_at_a_time(rest: Rest, alice: User, conversation: Conversation) -> None:
    answer = rest(alice).get(f"/messages/conversation/{conversation.pk}", params={"before": 5, "after": 1})
    assert_problem(answer, 400, "invalid")


def test_a_host_that_is_not_ours_gets_a_problem(rest: Rest, alice: User) -> None:
    for host in ("evil.example", "a b", "127.0.0.1:x", "[::1"):
        assert_problem(rest(alice).get("/users/me", headers={"Host": host}), 400, "invalid")
