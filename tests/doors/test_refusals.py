"""REST refuses: every no is a problem document (RFC 9457) with a code that stays, and leaves nothing behind."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from uuid_utils.compat import uuid7

from accounts import urls as accounts
from accounts.models import User
from conversations.models import Conversation
from messaging.api import urls as messaging
from tests.doors.conftest import Browse, Rest, Stored, minted

V4 = str(uuid4())
UNKNOWN = str(uuid7())
LONG_AGO, AHEAD = minted(-timedelta(days=7, minutes=1)), minted(timedelta(hours=1))
BEYOND = "ffffffff-ffff-7fff-bfff-ffffffffffff"
"""An id whose time no datetime can hold."""
CONVERSATION, BOB, ALICE = "{conversation}", "{bob}", "{alice}"

REGISTER = ("/auth/register", {"username": "newcomer", "password": "a secret nobody guesses"})
TOKEN = ("/auth/token", {"username": "alice", "password": "whatever"})
REFRESH = ("/auth/token/refresh", {"refresh": "x"})
PASSWORD = ("/auth/password", {"old_password": "whatever", "new_password": "a secret nobody guesses"})
DIRECT = ("/conversations", {"kind": "direct", "to": {"username": "bob"}})
GROUP = ("/conversations", {"kind": "group", "name": "Garden", "participants": [{"username": "bob"}]})
MESSAGE = ("/messages", {"conversation_id": CONVERSATION, "text": "Hi"})
LETTER = ("/messages", {"receiver_id": BOB, "text": "Hi"})
READ = ("/conversations/{conversation}/read", {"through": 0})
MEMBERS = ("/conversations/{conversation}/participants", {"users": [{"username": "bob"}]})
TRANSFER = ("/conversations/{conversation}/transfer", {"to": {"username": "bob"}})
LINK: "Call" = ("/conversations/{conversation}/invite-links", {})

NO_TEXT = [5, 1.5, True, None, [], ["x"], {}, {"a": 1}]
NO_ID = [5, True, [], {}, "", "x", V4, UUID(V4).hex, UUID(UNKNOWN).hex, f"{{{UNKNOWN}}}", f" {UNKNOWN}", "0" * 32]
NO_REFERENCE = [
    5,
    "bob",
    True,
    None,
    [],
    {},
    {"name": "bob"},
    {"id": V4},
    {"id": 5},
    {"username": 5},
    {"username": None},
    {"username": "b\0b"},
    {"username": "bob", "id": UNKNOWN},
    {"wallet": "0x00"},
    {"wallet": "0x" + "Ab" * 20},
    {"wallet": "0X" + "ab" * 20},
]
NO_LIST = [5, "x", True, None, {}, {"a": 1}]
NO_CHOICE = [5, True, None, "", "x", [], {}]
NO_NUMBER = ["5", "", -1, 1.5, True, None, [], {}, 2**63, 10**30]

NO_MOMENT = [5, 1.5, True, [], {}, "", "x", "2999-01-01", "2999-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "2999"]

WRONG = [
    (REGISTER, "username", [*NO_TEXT, "", "ab", "a" * 31, "with space", "ünï", "a\0bc", "new\n"]),
    (REGISTER, "password", [*NO_TEXT, "", "short", "12345678", "password", "newcomer", "x" * 1001, "a secret\0"]),
    (REGISTER, "display_name", [*NO_TEXT, "", " ", "x" * 81, "a\0b"]),
    (REGISTER, "email", [*NO_TEXT, "nobody", "a@b", "x" * 250 + "@x.org", "a@b.org\0"]),
    (REGISTER, "device", [*NO_TEXT, "x" * 201, "a\0b"]),
    (TOKEN, "username", [*NO_TEXT, "", "x" * 151, "a\0b"]),
    (TOKEN, "password", [*NO_TEXT, "", "x" * 1001, "a\0b"]),
    (TOKEN, "device", [*NO_TEXT, "x" * 201, "a\0b"]),
    (REFRESH, "refresh", [*NO_TEXT, "", "x" * 4001, "a\0b"]),
    (PASSWORD, "old_password", [*NO_TEXT, "", "x" * 1001]),
    (PASSWORD, "new_password", [*NO_TEXT, "", "x" * 1001]),
    (DIRECT, "kind", NO_CHOICE),
    (DIRECT, "to", NO_REFERENCE),
    (GROUP, "name", [*NO_TEXT, "", "  ", "x" * 101, "a\0b"]),
    (GROUP, "description", [*NO_TEXT, "x" * 501, "a\0b"]),
    (GROUP, "participants", NO_LIST),
    (GROUP, "history", NO_CHOICE),
    (MESSAGE, "id", [*NO_ID, None, LONG_AGO, AHEAD, BEYOND]),
    (MESSAGE, "conversation_id", [*NO_ID, None]),
    (LETTER, "receiver_id", [*NO_ID, None]),
    (MESSAGE, "text", [*NO_TEXT, "", " \n\t\u2003", "x" * 16_001, "a\0b"]),
    (LETTER, "text", [*NO_TEXT, "", "x" * 16_001]),
    (MESSAGE, "kind", [*NO_CHOICE, "notice"]),
    (MESSAGE, "media", [*NO_LIST, [UNKNOWN] * 11]),
    (MESSAGE, "reply_to_id", NO_ID),
    (READ, "through", NO_NUMBER),
    (MEMBERS, "users", [*NO_LIST, None]),
    (TRANSFER, "to", NO_REFERENCE),
    (LINK, "expires_at", [*NO_MOMENT, "2000-01-01T00:00:00Z"]),
    (LINK, "max_uses", [0, 100_001, *(value for value in NO_NUMBER if value is not None)]),
]
MISSING = [
    (REGISTER, "username"),
    (REGISTER, "password"),
    (TOKEN, "username"),
    (TOKEN, "password"),
    (REFRESH, "refresh"),
    (PASSWORD, "old_password"),
    (PASSWORD, "new_password"),
    (DIRECT, "kind"),
    (DIRECT, "to"),
    (GROUP, "name"),
    (MESSAGE, "text"),
    (MESSAGE, "conversation_id"),
    (READ, "through"),
    (MEMBERS, "users"),
    (TRANSFER, "to"),
]
ELSEWHERE = [
    (GROUP, {"participants": [{"username": "bob"}, 5]}, "/participants/1"),
    (GROUP, {"participants": [{"id": V4}]}, "/participants/0"),
    (GROUP, {"participants": [{"username": "bob"}] * 1001}, "/participants"),
    (MESSAGE, {"media": [UNKNOWN, "x"]}, "/media/1"),
    (MESSAGE, {"receiver_id": BOB}, "/conversation_id"),
]
REFUSED = [
    (DIRECT, {"to": {"username": "nobody"}}, 404, "not_found", None),
    (DIRECT, {"to": {"id": UNKNOWN}}, 404, "not_found", None),
    (DIRECT, {"to": {"wallet": "0x" + "ab" * 20}}, 404, "not_found", None),
    (DIRECT, {"to": {"username": "alice"}}, 422, "unprocessable", "/to"),
    (GROUP, {"participants": [{"username": "bob"}, {"username": "nobody"}]}, 404, "not_found", None),
    (MESSAGE, {"conversation_id": UNKNOWN}, 404, "not_found", None),
    (MESSAGE, {"kind": "image"}, 422, "unprocessable", "/kind"),
    (MESSAGE, {"media": [UNKNOWN]}, 422, "unprocessable", "/media"),
    (MESSAGE, {"reply_to_id": UNKNOWN}, 422, "unprocessable", "/reply_to_id"),
    (LETTER, {"receiver_id": UNKNOWN}, 404, "not_found", None),
    (LETTER, {"receiver_id": ALICE}, 422, "unprocessable", "/receiver_id"),
    (REGISTER, {"username": "alice"}, 409, "conflict", "/username"),
    (REGISTER, {"username": "ALICE"}, 409, "conflict", "/username"),
    (TOKEN, {}, 401, "bad_credentials", None),
    (TOKEN, {"username": "nobody"}, 401, "bad_credentials", None),
    (PASSWORD, {}, 401, "bad_credentials", None),
]

Call = tuple[str, dict[str, Any]]


@pytest.fixture
def names(alice: User, bob: User, conversation: Conversation) -> dict[str, str]:
    """What stands for an id in the tables above."""
    return {CONVERSATION: str(conversation.pk), BOB: str(bob.pk), ALICE: str(alice.pk)}


def filled(body: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {name: names.get(value, value) if isinstance(value, str) else value for name, value in body.items()}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """It is the problem document of the contract, with all that comes with it."""
    assert answer.status_code == status, (answer.request.method, answer.url, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "request_id", "errors"}
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert all(each.keys() == {"pointer", "code", "detail"} for each in problem["errors"])
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    return sorted({each["pointer"] for each in problem["errors"]})


@pytest.mark.parametrize(
    ("call", "field", "values"),
    WRONG,
    ids=lambda it: it if isinstance(it, str) else it[0] if isinstance(it, tuple) else "",
)
def test_a_field_that_is_not_right_is_named(
    rest: Rest, stored: Stored, names: dict[str, str], alice: User, call: Call, field: str, values: list[Any]
) -> None:
    client, (path, body) = rest(alice), call
    path, before = path.format(conversation=names[CONVERSATION]), stored()
    for value in values:
        answer = client.post(path, json=filled(body, names) | {field: value})
        assert pointers(assert_problem(answer, 400, "invalid")) == [f"/{field}"], value
    assert stored() == before


@pytest.mark.parametrize(("call", "field"), MISSING, ids=lambda it: it if isinstance(it, str) else it[0])
def test_a_field_that_is_missing_is_named(
    rest: Rest, stored: Stored, names: dict[str, str], alice: User, call: Call, field: str
) -> None:
    client, (path, body), before = rest(alice), call, stored()
    left = {name: value for name, value in filled(body, names).items() if name != field}
    answer = client.post(path.format(conversation=names[CONVERSATION]), json=left)
    assert f"/{field}" in pointers(assert_problem(answer, 400, "invalid"))
    assert stored() == before


@pytest.mark.parametrize(("call", "fields", "pointer"), ELSEWHERE, ids=lambda it: it if isinstance(it, str) else "")
def test_the_item_at_fault_is_named(
    rest: Rest, stored: Stored, names: dict[str, str], alice: User, call: Call, fields: dict[str, Any], pointer: str
) -> None:
    client, (path, body), before = rest(alice), call, stored()
    answer = client.post(path, json=filled(body | fields, names))
    assert pointers(assert_problem(answer, 400, "invalid")) == [pointer]
    assert stored() == before


@pytest.mark.parametrize(
    ("call", "field"), [(GROUP, "participants"), (MESSAGE, "media")], ids=["participants", "media"]
)
def test_a_list_that_is_too_long_is_not_read(
    rest: Rest, names: dict[str, str], alice: User, call: Call, field: str
) -> None:
    path, body = call
    answer = rest(alice).post(path, json=filled(body, names) | {field: [0] * 300_000})
    (error,) = assert_problem(answer, 400, "invalid")["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", "max_length")


def test_an_answer_names_twenty_faults_at_most(rest: Rest, alice: User) -> None:
    answer = rest(alice).post("/conversations", json=GROUP[1] | {"participants": [0] * 1000})
    assert len(assert_problem(answer, 400, "invalid")["errors"]) == 20


@pytest.mark.parametrize(
    ("call", "fields", "status", "code", "pointer"), REFUSED, ids=lambda it: repr(it) if isinstance(it, dict) else ""
)
def test_what_may_not_be_is_refused_with_the_reason(
    rest: Rest,
    stored: Stored,
    names: dict[str, str],
    alice: User,
    call: Call,
    fields: dict[str, Any],
    status: int,
    code: str,
    pointer: str | None,
) -> None:
    client, (path, body), before = rest(alice), call, stored()
    answer = client.post(path, json=filled(body | fields, names))
    assert pointers(assert_problem(answer, status, code)) == ([pointer] if pointer else [])
    assert stored() == before


BODIES = {
    "no JSON": (b"{", 400, "invalid"),
    "not UTF-8": (b'{"text":"\xff"}', 400, "invalid"),
    "half a character": (rb'{"text":"\ud83d"}', 400, "invalid"),
    "NaN": (b'{"through":NaN}', 400, "invalid"),
    "a list": (b"[]", 400, "invalid"),
    "a string": (b'"x"', 400, "invalid"),
    "null": (b"null", 400, "invalid"),
    "deep": (b'{"text":' + b"[" * 100_000, 400, "invalid"),
    "deep and whole": (b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "invalid"),
    "a huge number": (b'{"through":1' + b"0" * 10_000 + b"}", 400, "invalid"),
    "nothing": (b"", 400, "invalid"),
    "more than a mebibyte": (b'{"text":"' + b"x" * 1024 * 1024 + b'"}', 413, "too_large"),
}
PATHS = [path for path, _ in (REGISTER, TOKEN, REFRESH, PASSWORD, GROUP, MESSAGE, READ, MEMBERS)]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_no_json_object_is_refused(
    rest: Rest, stored: Stored, names: dict[str, str], alice: User, path: str
) -> None:
    client, before = rest(alice, **{"Content-Type": "application/json"}), stored()
    for what, (body, status, code) in BODIES.items():
        answer = client.post(path.format(conversation=names[CONVERSATION]), content=body)
        assert answer.status_code == status, what
        assert_problem(answer, status, code)
    assert stored() == before


FORMS = ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_of_another_type_is_refused(
    rest: Rest, stored: Stored, names: dict[str, str], alice: User, path: str
) -> None:
    client, path, before = rest(alice), path.format(conversation=names[CONVERSATION]), stored()
    for kind in ("text/plain", "application/xml", "nonsense", *FORMS):
        answer = client.post(path, content=b'{"text":"Hi"}', headers={"Content-Type": kind})
        assert_problem(answer, 415, "unsupported_media")
    assert stored() == before


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


@pytest.mark.parametrize("call", [MESSAGE, GROUP, READ, PASSWORD], ids=lambda call: call[0])
async def test_a_cookie_alone_may_read_but_not_write(
    browse: Browse, alice: User, conversation: Conversation, bob: User, call: Call
) -> None:
    browser, (path, body) = await browse(alice), call
    path = "/api/v1" + path.format(conversation=conversation.pk)
    body = filled(body, {CONVERSATION: str(conversation.pk)})
    assert (await browser.http.get("/api/v1/users/me")).json()["data"]["username"] == "alice"
    for headers in (
        {},
        {"X-CSRFToken": "x" * 32},
        {"Origin": "http://evil.example", "X-CSRFToken": browser.http.cookies["csrftoken"]},
    ):
        assert_problem(await browser.http.post(path, json=body, headers=headers), 403, "not_allowed")
    token = {"X-CSRFToken": browser.http.cookies["csrftoken"], "Origin": browser.base}
    assert (await browser.http.post(path, json=body, headers=token)).status_code in {200, 201, 401}


async def test_a_cookie_with_a_form_for_a_body_gets_a_problem(browse: Browse, alice: User) -> None:
    browser = await browse(alice)
    for kind in ("multipart/form-data", "multipart/form-data; boundary=é", "application/x-www-form-urlencoded"):
        content = "&".join(f"a{n}=1" for n in range(2000)).encode()
        answer = await browser.http.post(
            "/api/v1/messages", content=content, headers={"Content-Type": kind.encode("latin1")}
        )
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.status_code in {403, 415}
