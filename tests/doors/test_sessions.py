"""Sessions: what is ended somewhere has ended everywhere, on two servers."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from tests.support.client import Client
from tests.support.server import Server

Device = Callable[..., Awaitable[Client]]

WITHIN_A_SECOND = 2.0
"""On a busy machine; without a word from the other server it would take up to four."""


@pytest.fixture
async def device(server: Server, other_server: Server, access: Callable[[User], str]) -> AsyncIterator[Device]:
    """Sign a person in on one more device, on this server or the other."""
    async with AsyncExitStack() as opened:

        async def sign_in(user: User, *, elsewhere: bool = False) -> Client:
            url = (other_server if elsewhere else server).url
            return await opened.enter_async_context(Client(url, access=await sync_to_async(access)(user)))

        yield sign_in


async def test_my_devices_are_listed_and_mine_is_marked(device: Device, alice, bob) -> None:
    phone, _, _ = await device(alice), await device(alice), await device(bob)
    listed = (await phone.get("/auth/sessions")).json()
    assert [session["current"] for session in listed["data"]].count(True) == 1
    assert len(listed["data"]) == 2
    assert set(listed["data"][0]) == {"id", "name", "ip", "created_at", "last_seen_at", "current"}


async def test_ending_a_session_closes_its_socket_on_theother_server_within_a_second(device: Device, alice) -> None:
    phone, laptop = await device(alice), await device(alice, elsewhere=True)
    async with laptop.socket() as socket:
        mine = (await phone.get("/auth/sessions")).json()["data"]
        lost = next(session["id"] for session in mine if not session["current"])
        asked = time.monotonic()
        assert (await phone.request("DELETE", f"/auth/sessions/{lost}")).status_code == 204
        assert (await socket.next("error"))["code"] == "session_revoked"
        assert await socket.closed() == 4503
        print(f"closed after {time.monotonic() - asked:.3f} s")
        assert time.monotonic() - asked < WITHIN_A_SECOND
    assert (await laptop.get("/users/me")).json()["code"] == "session_revoked"


async def test_ending_all_others_leaves_this_one(device: Device, alice) -> None:
    phone, laptop = await device(alice), await device(alice, elsewhere=True)
    async with phone.socket() as kept, laptop.socket() as socket:
        assert (await phone.request("DELETE", "/auth/sessions")).status_code == 204
        assert await socket.closed() == 4503
        assert (await kept.ask("ping"))["type"] == "pong"
    assert (await phone.get("/users/me")).status_code == 200


async def test_nobody_ends_the_session_of_another(device: Device, alice, bob) -> None:
    hers, his = await device(alice), await device(bob)
    theirs = (await his.get("/auth/sessions")).json()["data"][0]["id"]
    assert (await hers.request("DELETE", f"/auth/sessions/{theirs}")).json()["code"] == "not_found"
    assert (await his.get("/users/me")).status_code == 200


async def test_a_new_password_ends_the_other_sessions_and_lets_in(device: Device, person) -> None:
    dora = await sync_to_async(person)("dora", "an-old-password-1")
    phone, laptop = await device(dora), await device(dora, elsewhere=True)
    async with laptop.socket() as socket:
        changed = await phone.post("/auth/password", old_password="an-old-password-1", new_password="a-new-password-2")
        assert changed.status_code == 204
        assert await socket.closed() == 4503
    assert (await phone.get("/users/me")).status_code == 200
    assert (await phone.post("/auth/token", username="dora", password="a-new-password-2")).status_code == 200
    assert (await phone.post("/auth/token", username="dora", password="an-old-password-1")).status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "status", "code"),
    [
        ("wrong", "a-new-password-2", 401, "bad_credentials"),
        ("an-old-password-1", "short", 400, "invalid"),
        ("an-old-password-1", "", 400, "invalid"),
        ("an-old-password-1", 7, 400, "invalid"),
    ],
)
async def test_a_password_that_is_not_changed_ends_nothing(device: Device, person, old, new, status, code) -> None:
    dora = await sync_to_async(person)("dora", "an-old-password-1")
    phone, laptop = await device(dora), await device(dora)
    answer = await phone.post("/auth/password", old_password=old, new_password=new)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await laptop.get("/users/me")).status_code == 200


async def test_a_ticket_opens_one_socket_on_any_server(device: Device, alice) -> None:
    phone = await device(alice)
    made = await phone.post("/auth/ticket")
    ticket = made.json()["data"]["ticket"]
    assert (made.status_code, made.json()["data"]["expires_in"]) == (201, 60)
    page = await device(alice, elsewhere=True)
    async with page.socket(headers={}, query=f"?ticket={ticket}") as socket:
        assert (await socket.ask("ping"))["type"] == "pong"
    async with page.bare_socket(headers={}, query=f"?ticket={ticket}") as again:
        assert (await again.next("error"))["code"] == "not_authenticated"
        assert await again.closed() == 4501


async def test_a_ticket_is_worth_nothing_once_its_session_has_ended(device: Device, alice) -> None:
    phone = await device(alice)
    ticket = (await phone.post("/auth/ticket")).json()["data"]["ticket"]
    await phone.post("/auth/logout")
    async with phone.bare_socket(headers={}, query=f"?ticket={ticket}") as socket:
        assert await socket.closed() == 4501


@pytest.mark.parametrize("ticket", ["", "invented", "x" * 5000, "%00", "..%2F.."])
async def test_an_invented_ticket_opens_nothing(device: Device, alice, ticket) -> None:
    phone = await device(alice)
    async with phone.bare_socket(headers={}, query=f"?ticket={ticket}") as socket:
        assert await socket.closed() == 4501
