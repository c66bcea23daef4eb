"""A suspended person comes in nowhere, on two servers, and goes on where they were when it is lifted."""

import time
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from accounts.staff import moderation
from accounts.staff.audit_log import Staff
from tests.doors.conftest import Browse, Rest
from tests.support.browser import PASSWORD, Browser
from tests.support.client import Client
from tests.support.server import Server

WITHIN_A_SECOND = 1.0
REASON = "Selling watches"


@pytest.fixture
def suspend(staff: User) -> Callable[[User], None]:
    return lambda user: moderation.suspend(by=Staff.of(staff), user_id=user.pk, reason=REASON) and None


@pytest.fixture
def reinstate(staff: User) -> Callable[[User], None]:
    return lambda user: moderation.reinstate(by=Staff.of(staff), user_id=user.pk) and None


async def test_the_sockets_close_on_every_server_within_a_second(
    server: Server, other_server: Server, access, alice: User, suspend
) -> None:
    token = await sync_to_async(access)(alice)
    async with Client(server.url, access=token) as here, Client(other_server.url, access=token) as there:
        async with here.socket() as one, there.socket() as other:
            began = time.monotonic()
            await sync_to_async(suspend)(alice)
            for socket in (one, other):
                assert (await socket.next("error"))["code"] == "suspended"
                assert await socket.closed() == 4504
            assert time.monotonic() - began < WITHIN_A_SECOND
        async with there.bare_socket(headers=there.headers) as again:
            assert REASON in (await again.next("error"))["detail"]
            assert await again.closed() == 4504


def test_every_call_is_refused_with_the_reason_until_it_is_lifted(rest: Rest, alice: User, suspend, reinstate) -> None:
    app = rest(alice)
    suspend(alice)
    for call in ("GET /users/me", "GET /conversations", "POST /messages", "POST /auth/ticket"):
        answer = app.request(*call.split(), json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
        assert REASON in answer.json()["detail"]
    reinstate(alice)
    assert app.get("/users/me").status_code == 200


def test_the_right_password_is_told_of_it_and_a_wrong_one_is_not(rest: Rest, person, suspend) -> None:
    dora = person("dora", PASSWORD)
    suspend(dora)
    right, wrong = (
        rest().post("/auth/token", json={"username": "dora", "password": password}) for password in (PASSWORD, "wrong")
    )
    assert (right.status_code, right.json()["code"]) == (403, "suspended")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_credentials")


def test_a_refresh_is_refused_and_worth_as_much_as_before_afterwards(rest: Rest, person, suspend, reinstate) -> None:
    dora = person("dora", PASSWORD)
    refresh = rest().post("/auth/token", json={"username": "dora", "password": PASSWORD}).json()["data"]["refresh"]
    suspend(dora)
    assert rest().post("/auth/token/refresh", json={"refresh": refresh}).json()["code"] == "suspended"
    reinstate(dora)
    assert rest().post("/auth/token/refresh", json={"refresh": refresh}).status_code == 200


async def test_the_pages_say_so_and_let_sign_out(browse: Browse, alice: User, suspend) -> None:
    browser = await browse(alice)
    await sync_to_async(suspend)(alice)
    page = await browser.http.get("/")
    assert page.status_code == 403
    assert REASON in page.text
    left = await browser.submit("/accounts/logout/")
    assert left.url.path == "/accounts/login/"


async def test_the_sign_in_page_lets_nobody_suspended_in(server: Server, person, suspend) -> None:
    await sync_to_async(suspend)(await sync_to_async(person)("dora", PASSWORD))
    async with Browser(server.url) as browser:
        answer = await browser.submit("/accounts/login/", login="dora", password=PASSWORD)
        assert answer.status_code == 403
        assert REASON in answer.text
        assert (await browser.http.get("/")).url.path == "/accounts/login/"
