"""A field of a REST call that is invalid, missing or too long: the problem document names it."""

from typing import Any

import pytest

from accounts.models import User
from tests.doors.conftest import Rest, Stored
from tests.doors.example_calls import (
    AHEAD,
    BEYOND,
    BOB,
    CONVERSATION,
    DIRECT,
    GROUP,
    LETTER,
    LINK,
    LONG_AGO,
    MEMBERS,
    MESSAGE,
    NO_CHOICE,
    NO_ID,
    NO_LIST,
    NO_MOMENT,
    NO_NUMBER,
    NO_REFERENCE,
    NO_TEXT,
    PASSWORD,
    READ,
    REFRESH,
    REGISTER,
    TOKEN,
    TRANSFER,
    UNKNOWN,
    V4,
    Call,
    filled,
)
from tests.doors.problems import assert_problem, pointers

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
