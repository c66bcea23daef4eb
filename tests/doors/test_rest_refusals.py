"""A well-formed REST call that breaks a rule is refused with the code of the reason, and changes nothing."""

from typing import Any

import pytest

from accounts.models import User
from tests.doors.conftest import Rest, Stored
from tests.doors.example_calls import (
    ALICE,
    DIRECT,
    GROUP,
    LETTER,
    MESSAGE,
    PASSWORD,
    REGISTER,
    TOKEN,
    UNKNOWN,
    Call,
    filled,
)
from tests.doors.problems import assert_problem, pointers

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
