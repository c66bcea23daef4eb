"""Limits at the doors, on two servers that share them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
import websockets
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.core.ids import uuid7
from chatproject.core.rate_limits import quotas
from chatproject.core.redis import redis
from tests.support.browser import PASSWORD, Browser
from tests.support.client import Client
from tests.support.server import Server, running


@pytest.fixture(scope="module")
def _pair(django_db_setup: None, django_db_blocker) -> Iterator[tuple[Server, Server]]:
    with pytest.MonkeyPatch.context() as environ, django_db_blocker.unblock():
        environ.setenv("CHAT_LIMITS", "on")
        environ.setenv("TRUSTED_PROXIES", "")
        with running() as one:
            environ.setenv("TRUSTED_PROXIES", "127.0.0.1")
            with running() as other:
                yield one, other


@pytest.fixture
def pair(committed: None, _pair: tuple[Server, Server]) -> tuple[Server, Server]:
    """Two servers; the second one believes a proxy on this machine, if one speaks of itself."""
    return _pair


@pytest.fixture
def proxied(pair: tuple[Server, Server]) -> Server:
    """A server that believes a proxy on this machine."""
    return pair[1]


def sign_in(server: Server, name: str, password: str, **headers: str) -> httpx.Response:
    body = {"username": name, "password": password}
    return httpx.post(f"{server.url}/api/v1/auth/token", json=body, headers=headers, timeout=20)


def guesses(guess: Callable[[int], httpx.Response]) -> list[int]:
    """Guess all at once: one chance comes back every fifteen seconds, and the machine may be slow."""
    with ThreadPoolExecutor(12) as crowd:
        return sorted(crowd.map(lambda turn: guess(turn).status_code, range(24)))


def test_the_sixth_guess_is_refused_on_every_server_even_if_it_is_right(pair, person) -> None:
    person("victim", "the-right-one-7")
    for turn in range(5):
        assert sign_in(pair[turn % 2], "victim", f"wrong-{turn}").json()["code"] == "bad_credentials"
    for server in pair:
        answer = sign_in(server, "Victim", "the-right-one-7")
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_the_page_counts_the_same_guesses(pair, person) -> None:
    person("victim", "the-right-one-7")
    for _ in range(5):
        sign_in(pair[0], "victim", "wrong")
    with httpx.Client(base_url=pair[1].url, timeout=20) as browser:
        form = browser.get("/accounts/login/")
        token = form.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        body = {"csrfmiddlewaretoken": token, "login": "victim", "password": "the-right-one-7"}
        answer = browser.post("/accounts/login/", data=body)
    assert "sessionid" not in browser.cookies
    assert "Too many failed" in answer.text


def test_guesses_at_many_names_from_one_address_end_too(pair) -> None:
    codes = guesses(lambda turn: sign_in(pair[turn % 2], f"nobody-{turn}", "guess"))
    assert codes == [401] * 20 + [429] * (len(codes) - 20)


def test_guesses_made_all_at_once_count_too(pair, person) -> None:
    person("victim", "the-right-one-7")
    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(lambda turn: sign_in(pair[turn % 2], "victim", "wrong").status_code, range(12)))
    assert sorted(answers) == [401] * 5 + [429] * 7


def test_signing_in_rightly_uses_no_chance_up(pair, person) -> None:
    person("dora", "the-right-one-7")
    assert [sign_in(pair[0], "dora", "the-right-one-7").status_code for _ in range(7)] == [200] * 7


def test_the_old_password_can_not_be_guessed_either(pair, person, access) -> None:
    token = access(person("dora", "the-right-one-7"))
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20) as app:
        body = {"old_password": "wrong", "new_password": "another-one-8"}
        answers = [app.post(f"{pair[0].url}/api/v1/auth/password", json=body).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


async def test_a_page_says_no_more_than_an_app(pair, alice: User, conversation) -> None:
    await sync_to_async(alice.set_password)(PASSWORD)
    await sync_to_async(alice.save)()
    path = f"/conversations/{conversation.pk}"
    async with Browser(pair[0].url) as browser:
        await browser.sign_in("alice")
        assert (await browser.submit(path, text="There is room")).status_code == 200
        # As if she had said so much elsewhere that it takes ten seconds to make up for it.
        redis().set(quotas.SEND.key(alice.pk), time.time() * 1000 + 10_000)
        refused = await browser.submit(path, text="There is none")
    assert refused.status_code == 429
    assert "There is none" in refused.text


def test_a_stranger_can_not_choose_the_address_he_comes_from(pair) -> None:
    codes = guesses(
        lambda turn: sign_in(pair[0], f"nobody-{turn}", "guess", **{"X-Forwarded-For": f"203.0.113.{turn}"})
    )
    assert codes == [401] * 20 + [429] * (len(codes) - 20)


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def test_many_names_are_not_guessed_from_one_address(proxied) -> None:
    codes = guesses(lambda turn: sign_in(proxied, f"nobody-{turn}", "wrong", **from_address("198.51.100.7")))
    assert codes == [401] * 20 + [429] * 4
    elsewhere = sign_in(proxied, "nobody-at-all", "wrong", **from_address("198.51.100.8"))
    assert elsewhere.status_code == 401


def test_a_stranger_elsewhere_keeps_nobody_out(proxied, person) -> None:
    person("victim", "the-right-one-7")
    codes = guesses(lambda turn: sign_in(proxied, "victim", f"wrong-{turn}", **from_address("203.0.113.66")))
    assert codes == [401] * 5 + [429] * 19
    assert sign_in(proxied, "victim", "the-right-one-7", **from_address("198.51.100.7")).status_code == 200


def test_one_name_is_not_guessed_from_many_addresses_without_end(proxied, person) -> None:
    person("victim", "the-right-one-7")
    known = sign_in(proxied, "victim", "the-right-one-7").json()["data"]["device_token"]
    # As if so many addresses had failed with it that three more may.
    full = quotas.SIGN_IN_FAILURES_OF_NAME.window * 1000 - quotas.SIGN_IN_FAILURES_OF_NAME.interval * 3
    redis().set(quotas.SIGN_IN_FAILURES_OF_NAME.key("victim"), time.time() * 1000 + full)
    one_name = guesses(lambda turn: sign_in(proxied, "victim", "wrong", **from_address(f"203.0.113.{turn}")))
    assert one_name == [401] * 3 + [429] * 21
    body = {"username": "victim", "password": "the-right-one-7", "device_token": known}
    assert httpx.post(f"{proxied.url}/api/v1/auth/token", json=body, timeout=20).status_code == 200


async def test_questions_on_a_socket_are_held_to_the_limit_of_calls(pair, alice: User, conversation, access) -> None:
    token = await sync_to_async(access)(alice)
    redis().set(quotas.CALLS.key(alice.pk), time.time() * 1000 + quotas.CALLS.window * 1000 - quotas.CALLS.interval * 3)
    async with Client(pair[0].url, access=token) as app, app.socket() as socket:
        answers = [await socket.ask("message.delete", message_id=str(uuid7())) for _ in range(8)]
    assert answers[0]["data"]["code"] == "not_found"
    assert answers[-1]["data"]["code"] == "too_fast"


def called(user: User, *, seconds: int) -> float:
    """Let someone have called as often as takes so many seconds to make up for; give when that will be."""
    due = time.time() * 1000 + seconds * 1000
    redis().set(quotas.CALLS.key(user.pk), due)
    return due


async def test_watching_many_people_costs_more_than_one_call(pair, alice: User, access) -> None:
    token = await sync_to_async(access)(alice)
    async with Client(pair[0].url, access=token) as app, app.socket() as socket:
        due = called(alice, seconds=30)
        answer = await socket.ask("presence.watch", user_ids=[str(uuid7()) for _ in range(200)])
    assert answer["type"] == "ack"
    assert float(redis().get(quotas.CALLS.key(alice.pk))) - due >= 11 * quotas.CALLS.interval


async def test_catching_up_costs_more_than_a_socket(pair, alice: User, conversation, access) -> None:
    token = await sync_to_async(access)(alice)
    called(alice, seconds=quotas.CALLS.window + 60)
    async with Client(pair[0].url, access=token) as app:
        async with app.socket():
            pass
        async with app.bare_socket(headers=app.headers, query="?catch_up=1") as socket:
            assert (await socket.next("error"))["code"] == "too_fast"
            assert await socket.closed() == 4008


async def test_far_too_many_frames_are_refused_with_their_ref_and_then_end_the_socket(
    pair, alice: User, access
) -> None:
    token = await sync_to_async(access)(alice)
    async with Client(pair[0].url, access=token) as app, app.socket() as socket:
        with suppress(websockets.ConnectionClosed):
            for turn in range(20_000):
                await socket.send({"type": "ping", "ref": str(turn)})
        assert await socket.closed() == 4008
        refused = await socket.next_frame("error")
    assert (refused["data"]["code"], refused["ref"].isdigit()) == ("too_fast", True)


def test_an_address_makes_ten_accounts_an_hour(pair) -> None:
    def register(turn: int) -> httpx.Response:
        body = {"username": f"person-{turn}", "password": "a-good-password-9"}
        return httpx.post(f"{pair[turn % 2].url}/api/v1/auth/register", json=body, timeout=20)

    answers = [register(turn) for turn in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"register";q=10;w=3600'
    assert answers[0].headers["RateLimit"].startswith('"register";r=9;')


BURST = 600
"""More than the limit lets through while a busy machine sends it."""


async def test_a_burst_over_two_sockets_on_two_servers_is_held_to_the_limit(
    pair, alice: User, conversation, access: Callable[[User], str]
) -> None:
    token = await sync_to_async(access)(alice)
    async with (
        Client(pair[0].url, access=token) as one,
        Client(pair[1].url, access=token) as other,
        one.socket() as first,
        other.socket() as second,
    ):
        began = time.monotonic()
        for turn in range(BURST):
            frame = {"type": "message.send", "ref": str(turn), "conversation_id": str(conversation.pk), "text": "x"}
            await (first, second)[turn % 2].send(frame)
        answers = [await (first, second)[turn % 2].next_frame("", ref=str(turn), within=20) for turn in range(BURST)]
        seconds = time.monotonic() - began
    said = sum(answer["type"] == "ack" for answer in answers)
    refused = [answer["data"] for answer in answers if answer["type"] == "error"]
    assert quotas.SEND.burst <= said <= quotas.SEND.burst + seconds * quotas.SEND.quota + 1
    assert {data["code"] for data in refused} == {"too_fast"}
    assert all(data["retry_after"] >= 1 for data in refused)


async def test_who_opens_sockets_without_end_is_told_to_come_back_more_slowly(
    pair, alice: User, bob: User, access: Callable[[User], str]
) -> None:
    token, other = [await sync_to_async(access)(user) for user in (alice, bob)]
    # As if she had opened so many elsewhere that it takes ten minutes to make up for it.
    redis().set(quotas.SOCKETS.key(alice.pk), time.time() * 1000 + 600_000)
    async with Client(pair[0].url, access=token) as app, app.bare_socket(headers=app.headers) as socket:
        assert await socket.closed() == 4008
        refused = await socket.next("error")
    assert (refused["code"], refused["retry_after"] > 60) == ("rate_limited", True)
    async with Client(pair[0].url, access=other) as app, app.socket():
        pass


async def test_sockets_count_by_the_address_that_a_proxy_names(pair, access: Callable[[User], str], alice) -> None:
    token = await sync_to_async(access)(alice)
    redis().set(quotas.SOCKETS_OF_ADDRESS.key("203.0.113.9"), time.time() * 1000 + 600_000)
    async with Client(pair[1].url, access=token) as app:
        async with app.bare_socket(headers={**app.headers, "X-Forwarded-For": "203.0.113.9"}) as socket:
            assert await socket.closed() == 4008
        async with app.socket(headers={**app.headers, "X-Forwarded-For": "203.0.113.10"}):
            pass
    # Whom nobody trusts can't name an address.
    forged = {"X-Forwarded-For": "203.0.113.9"}
    async with Client(pair[0].url, access=token) as app, app.socket(headers={**app.headers, **forged}):
        pass
