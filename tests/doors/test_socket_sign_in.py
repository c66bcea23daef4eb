"""Signing in to the socket: who comes in, who does not, and what is said at the door."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from asgiref.sync import sync_to_async
from rest_framework_simplejwt.tokens import AccessToken

from accounts.auth.sessions import end_session
from accounts.models import Session, User
from tests.doors.conftest import Browse
from tests.support.client import Client
from tests.support.server import Server

App = Callable[[User], Awaitable[Client]]
Access = Callable[[User], str]

both_servers = pytest.mark.parametrize("_server", ["uvicorn", "daphne"], indirect=True)


@pytest.fixture
def nobody(server: Server) -> Client:
    """An app in which nobody is signed in."""
    return Client(server.url)


def expired(access: str) -> str:
    """The same token, run out a second ago."""
    token = AccessToken(access)
    token.set_exp(lifetime=-timedelta(seconds=1))
    return str(token)


async def refused(client: Client, headers: dict[str, str]) -> tuple[str, int]:
    """Knock with these headers; give the reason that is said and the code of the close."""
    async with client.bare_socket(headers=headers) as socket:
        code = await socket.closed()
        return (await socket.next("error"))["code"], code


@both_servers
async def test_a_token_in_the_header_signs_in(nobody: Client, access: Access, alice: User) -> None:
    token = await sync_to_async(access)(alice)
    async with nobody.bare_socket(headers={"Authorization": f"Bearer {token}"}) as socket:
        greeting = await socket.next("connected")
    assert greeting["user"]["username"] == "alice"
    assert greeting["heartbeat_seconds"] == 25
    assert greeting["limits"]["text"] == 16_000
    assert {"session_id", "server_time", "feature_level"} <= greeting.keys()


@both_servers
async def test_a_connect_frame_signs_in(nobody: Client, access: Access, alice: User) -> None:
    token = await sync_to_async(access)(alice)
    async with nobody.bare_socket(headers={}) as socket:
        await socket.send({"type": "connect", "token": token})
        assert (await socket.next("connected"))["user"]["username"] == "alice"


@both_servers
async def test_a_cookie_signs_in_from_our_own_pages(nobody: Client, browse: Browse, alice: User) -> None:
    browser = await browse(alice)
    async with nobody.bare_socket(headers={"Cookie": browser.cookie, "Origin": browser.base}) as socket:
        assert (await socket.next("connected"))["user"]["username"] == "alice"


@both_servers
async def test_a_cookie_is_worth_nothing_to_other_pages(
    nobody: Client, browse: Browse, alice: User, server: Server
) -> None:
    cookie = {"Cookie": (await browse(alice)).cookie}
    assert await refused(nobody, cookie) == ("not_authenticated", 4501)
    for origin in ("null", "http://evil.example", "http://127.0.0.1", "https://{us}", "http://evil.example:{port}"):
        headers = {**cookie, "Origin": origin.format(us=f"127.0.0.1:{server.port}", port=server.port)}
        assert await refused(nobody, headers) == ("not_authenticated", 4501), origin


@both_servers
async def test_a_host_that_anyone_may_write_makes_no_page_ours(nobody: Client, browse: Browse, alice: User) -> None:
    cookie = {"Cookie": (await browse(alice)).cookie}
    forged = {"Origin": "http://127.0.0.1:6666", "X-Forwarded-Host": "127.0.0.1:6666", "Host": "127.0.0.1:6666"}
    assert await refused(nobody, cookie | forged) == ("not_authenticated", 4501)


@both_servers
@pytest.mark.parametrize("token", ["nonsense", "", "a.b.c", "ÿ"])
async def test_a_token_that_is_none_is_refused(nobody: Client, token: str) -> None:
    assert await refused(nobody, {"Authorization": f"Bearer {token}"}) == ("not_authenticated", 4501)


async def test_a_token_signed_by_someone_else_is_refused(nobody: Client, access: Access, alice: User) -> None:
    head, body, _ = (await sync_to_async(access)(alice)).split(".")
    token = f"{head}.{body}.{'A' * 43}"
    assert await refused(nobody, {"Authorization": f"Bearer {token}"}) == ("not_authenticated", 4501)


async def test_a_token_that_has_expired_closes_with_4001(nobody: Client, access: Access, alice: User) -> None:
    token = expired(await sync_to_async(access)(alice))
    assert await refused(nobody, {"Authorization": f"Bearer {token}"}) == ("token_expired", 4001)
    async with nobody.bare_socket(headers={}) as socket:
        await socket.send({"type": "connect", "token": token})
        assert await socket.closed() == 4001
        assert (await socket.next("error"))["code"] == "token_expired"


async def test_the_token_of_a_session_that_has_ended_opens_nothing(nobody: Client, access: Access, alice: User) -> None:
    token = await sync_to_async(access)(alice)
    await sync_to_async(end_session)(session=await Session.objects.aget())
    assert await refused(nobody, {"Authorization": f"Bearer {token}"}) == ("session_revoked", 4503)


async def test_the_cookie_of_a_session_that_has_ended_opens_nothing(
    nobody: Client, browse: Browse, alice: User
) -> None:
    browser = await browse(alice)
    await sync_to_async(end_session)(session=await Session.objects.aget())
    headers = {"Cookie": browser.cookie, "Origin": browser.base}
    assert await refused(nobody, headers) == ("session_revoked", 4503)


async def test_a_cookie_from_before_the_password_was_changed_opens_nothing(
    nobody: Client, browse: Browse, alice: User
) -> None:
    browser = await browse(alice)
    # As Django's own views and commands would, which know nothing of our sessions.
    alice.set_password("another secret 42")
    await sync_to_async(alice.save)()
    headers = {"Cookie": browser.cookie, "Origin": browser.base}
    assert await refused(nobody, headers) == ("session_revoked", 4503)


@both_servers
@pytest.mark.parametrize("key", ['"aaaaaaaaaaaa\\000"', "short", "a" * 5000, '"a b c d e f g h"', "'; --------"])
async def test_a_cookie_that_is_no_key_of_ours_is_nobody_s(nobody: Client, server: Server, key: str) -> None:
    cookie = {"Cookie": f"sessionid={key}"}
    async with httpx.AsyncClient(base_url=server.url, headers=cookie) as client:
        assert (await client.get("/accounts/login/")).status_code == 200
        assert (await client.get("/api/v1/users/me")).status_code == 401
    async with nobody.bare_socket(headers={**cookie, "Origin": server.url}) as socket:
        await socket.send({"type": "connect", "token": "nonsense"})
        assert (await socket.next("error"))["code"] == "not_authenticated"


async def test_a_closed_account_opens_nothing(nobody: Client, access: Access, alice: User) -> None:
    token = await sync_to_async(access)(alice)
    await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
    assert await refused(nobody, {"Authorization": f"Bearer {token}"}) == ("session_revoked", 4503)


@pytest.mark.long
async def test_who_says_nothing_is_sent_away_after_five_seconds(nobody: Client) -> None:
    began = time.monotonic()
    async with nobody.bare_socket(headers={}) as socket:
        await socket.next("error", within=12)
        assert await socket.closed() == 4501
    assert 4.5 < time.monotonic() - began < 12


@pytest.mark.parametrize(
    "frame",
    ['{"type":"ping"}', "no JSON", "[]", '{"type":"connect"}', '{"type":"connect","token":5}', b"binary", "[" * 30_000],
    ids=lambda frame: repr(frame[:30]),
)
async def test_a_first_frame_that_does_not_sign_in_is_the_last(nobody: Client, frame: str | bytes) -> None:
    async with nobody.bare_socket(headers={}) as socket:
        await socket.send(frame)
        assert await socket.closed() == 4501
        assert (await socket.next("error"))["code"] == "not_authenticated"


async def test_signing_in_twice_is_an_error_and_nothing_more(app: App, access: Access, alice: User) -> None:
    token = await sync_to_async(access)(alice)
    async with (await app(alice)).socket() as socket:
        assert (await socket.ask("connect", token=token))["data"]["code"] == "invalid"
        assert (await socket.ask("ping"))["type"] == "pong"


@both_servers
async def test_signing_out_closes_that_session_s_sockets_and_no_other(app: App, alice: User) -> None:
    here, there = await app(alice), await app(alice)
    async with here.socket() as closing, there.socket() as staying:
        assert (await here.request("POST", "/auth/logout")).status_code == 204
        assert await closing.closed() == 4503
        assert (await closing.next("error"))["code"] == "session_revoked"
        assert (await staying.ask("ping"))["type"] == "pong"
    await here.__aexit__(None, None, None)


async def test_signing_out_on_a_page_closes_the_browser_s_sockets(nobody: Client, browse: Browse, alice: User) -> None:
    browser = await browse(alice)
    async with nobody.socket(headers={"Cookie": browser.cookie, "Origin": browser.base}) as socket:
        await browser.submit("/accounts/logout/")
        assert await socket.closed() == 4503


@pytest.mark.parametrize(
    "frame", [{"type": "connect", "token": "bad"}, {"type": "connect"}, {"type": "ping"}, {"type": 5}]
)
async def test_a_first_frame_that_is_refused_is_answered_by_its_ref(nobody: Client, frame: dict[str, object]) -> None:
    async with nobody.bare_socket(headers={}) as socket:
        await socket.send({**frame, "ref": "c1"})
        assert (await socket.next_frame("error", ref="c1"))["data"]["code"] == "not_authenticated"
        assert await socket.closed() == 4501
