"""A body that is not a JSON object, or of another type, is refused with a problem document."""

import pytest

from accounts.models import User
from tests.doors.conftest import Rest, Stored
from tests.doors.example_calls import CONVERSATION, GROUP, MEMBERS, MESSAGE, PASSWORD, READ, REFRESH, REGISTER, TOKEN
from tests.doors.problems import assert_problem

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
