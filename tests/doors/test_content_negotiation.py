"""The contract on the envelope: it is JSON for whoever asks, in whatever way."""

import pytest

from accounts.models import User
from tests.doors.conftest import Rest
from tests.doors.problems import assert_problem


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;version=2", "nonsense", ""])
def test_answers_are_json_whatever_is_accepted(rest: Rest, alice: User, accept: str) -> None:
    client = rest(alice, Accept=accept)
    answer = client.get("/conversations", params={"format": "html"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert_problem(client.get("/sync", params={"cursor": "nonsense"}), 400, "invalid")
    assert_problem(rest(Accept=accept).get("/conversations"), 401, "not_authenticated")
