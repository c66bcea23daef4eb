"""A browser's session cookie at the API: it may read, and writes only with a CSRF token."""

import pytest

from accounts.models import User
from conversations.models import Conversation
from tests.doors.conftest import Browse
from tests.doors.example_calls import CONVERSATION, GROUP, MESSAGE, PASSWORD, READ, Call, filled
from tests.doors.problems import assert_problem


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
