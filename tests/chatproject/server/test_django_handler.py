"""A request runs whole in one standing thread, and what is slow there delays nobody else."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from accounts.models import User
from chatproject.core.database import connection_parameters
from chatproject.server.django_handler import THREADS
from conversations.models import Conversation
from tests.messaging.helpers import say
from tests.support.server import Server, running


@pytest.fixture(scope="module")
def counting(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """A server that counts its threads."""
    with django_db_blocker.unblock(), running(app="tests.support.hops:application") as server:
        yield server


@pytest.fixture
def http(committed: None, counting: Server, alice: User, access: Callable[[User], str]) -> Iterator[httpx.Client]:
    """Alice's app."""
    with httpx.Client(base_url=counting.url, headers={"Authorization": f"Bearer {access(alice)}"}) as client:
        yield client


def test_no_request_starts_a_thread_and_each_takes_one_hop(
    http: httpx.Client, alice: User, conversation: Conversation
) -> None:
    say(alice, conversation, "Hi")
    paths = [
        "/api/v1/server",
        f"/api/v1/messages/conversation/{conversation.pk}",
        "/api/v1/conversations",
        "/accounts/login/",
    ]
    for path in paths:
        assert http.get(path).is_success
    hops, threads = (int(http.get(path).text) for path in ("/hops", "/threads"))
    for path in paths * 5:
        assert http.get(path).is_success
    assert int(http.get("/threads").text) == threads
    assert int(http.get("/hops").text) == hops + 5 * len(paths)


def test_one_that_waits_for_a_lock_delays_no_other(http: httpx.Client, alice: User, group: Conversation) -> None:
    renamed = f"/api/v1/conversations/{group.pk}"
    with psycopg.connect(**connection_parameters()) as own, ThreadPoolExecutor(1) as pool:
        own.execute("SELECT FROM conversations_conversation WHERE id = %s FOR UPDATE", [group.pk])
        waiting = pool.submit(http.patch, renamed, json={"name": "Orchard"})
        time.sleep(0.3)
        for _ in range(20):
            assert http.get("/api/v1/users/me").is_success
        assert not waiting.done()
        own.rollback()
        assert waiting.result().is_success


def test_a_process_says_that_it_runs_whatever_requests_wait_for(http: httpx.Client) -> None:
    with psycopg.connect(**connection_parameters()) as own, ThreadPoolExecutor(THREADS) as pool:
        own.execute("LOCK TABLE accounts_session IN ACCESS EXCLUSIVE MODE")
        waiting = [
            pool.submit(httpx.get, http.base_url.join("/api/v1/users/me"), headers=http.headers) for _ in range(THREADS)
        ]
        time.sleep(0.5)
        assert httpx.get(http.base_url.join("/healthz"), timeout=1).text == "ok\n"
        assert httpx.head(http.base_url.join("/healthz"), timeout=1).content == b""
        own.rollback()
        assert all(each.result().is_success for each in waiting)


@pytest.mark.parametrize("_server", ["uvicorn", "daphne"], indirect=True)
def test_a_body_comes_whole_and_cookies_and_headers_go_out(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        page = client.get("/accounts/login/")
        assert "csrftoken" in page.cookies
        form = {"csrfmiddlewaretoken": page.cookies["csrftoken"], "login": "nobody", "password": "x" * 100_000}
        answer = client.post("/accounts/login/", data=form, headers={"X-Request-ID": "12345678"})
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] == "12345678"
    assert "text/html" in answer.headers["Content-Type"]


def test_who_leaves_while_sending_leaves_nothing_behind(counting: Server) -> None:
    """The connection is closed in the middle of a body, again and again; the server goes on."""
    head = f"POST /api/v1/auth/token HTTP/1.1\r\nHost: {counting.url[7:]}\r\nContent-Length: 1000\r\n\r\n"
    for _ in range(60):
        with socket.create_connection(("127.0.0.1", counting.port)) as connection:
            connection.sendall(head.encode() + b"{")
    assert httpx.get(f"{counting.url}/healthz").is_success
