"""Requests that never come to their end: they are ended, and nobody waits for them."""

import asyncio
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from django.conf import settings

from chatproject.server.http import HEAD_BYTES
from tests.support.raw import Raw, head
from tests.support.server import Server, running

pytestmark = pytest.mark.long

PATH = "/api/v1/auth/token"


@pytest.fixture(scope="module")
def _quick_server(django_db_setup: None, django_db_blocker) -> Iterator[Server]:
    with django_db_blocker.unblock(), running(app="tests.doors.short_request_timeouts:application") as server:
        yield server


@pytest.fixture
def quick_server(committed: None, _quick_server: Server) -> Server:
    """A server that waits for a second where others wait for many."""
    return _quick_server


@pytest.mark.parametrize("half", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: y"])
async def test_a_head_that_stays_away_is_answered_408(quick_server: Server, half: bytes) -> None:
    async with Raw(quick_server.url) as raw:
        await raw.send(half)
        assert (await raw.answer()).status == 408
        assert await raw.is_closed()


async def test_a_head_that_comes_letter_by_letter_has_no_more_time_for_it(quick_server: Server) -> None:
    async with Raw(quick_server.url) as raw:
        answer = asyncio.create_task(raw.answer())
        await raw.send(head("/healthz", method="GET")[:-2])
        while not answer.done():
            await raw.send(b"x-more: 1\r\n")
            await asyncio.sleep(0.1)
        assert (await answer).status == 408


async def test_a_connection_that_never_asks_is_closed_without_a_word(quick_server: Server) -> None:
    async with Raw(quick_server.url) as raw:
        assert await raw.is_closed()


async def test_the_rest_of_a_body_that_is_too_large_is_not_waited_for(quick_server: Server) -> None:
    async with Raw(quick_server.url) as raw:
        await raw.send(head(PATH, f"Content-Length: {2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}"))
        answer = await raw.answer()
        assert (answer.status, orjson.loads(answer.body)["code"]) == (413, "too_large")
        assert await raw.is_closed()


@pytest.mark.parametrize("kind", ["Content-Length: 100", "Transfer-Encoding: chunked"])
async def test_a_body_that_stays_away_is_answered_408_as_the_api_answers(quick_server: Server, kind: str) -> None:
    async with Raw(quick_server.url) as raw:
        await raw.send(head(PATH, kind), b"2\r\n{")
        answer = await raw.answer()
        assert (answer.status, orjson.loads(answer.body)["code"]) == (408, "too_slow")
        assert await raw.is_closed()


async def test_a_body_that_comes_letter_by_letter_has_no_more_time_for_it(quick_server: Server) -> None:
    async with Raw(quick_server.url) as raw:
        answer = asyncio.create_task(raw.answer())
        await raw.send(head(PATH, "Content-Length: 1000"))
        while not answer.done():
            await raw.send(b" ")
            await asyncio.sleep(0.1)
        assert (await answer).status == 408


async def test_the_second_request_of_a_connection_has_a_time_of_its_own(quick_server: Server) -> None:
    async with Raw(quick_server.url) as raw:
        for _ in range(3):
            await raw.send(head("/healthz", method="GET"))
            assert (await raw.answer()).status == 200
            await asyncio.sleep(0.6)
        await raw.send(head("/healthz", method="GET")[:-2])
        assert (await raw.answer()).status == 408


async def test_a_head_without_end_is_refused(quick_server: Server) -> None:
    async with Raw(quick_server.url) as raw:
        await raw.send(b"GET /healthz HTTP/1.1\r\nX-Long: ", b"x" * (2 * HEAD_BYTES))
        assert (await raw.answer()).status == 431


@pytest.mark.parametrize("endless", [b"x-more: 1\r\n" * 1000, b"x-more: " + b"x" * 10_000, b"1;" + b"x" * 10_000])
async def test_what_is_no_part_of_a_body_does_not_come_without_end(quick_server: Server, endless: bytes) -> None:
    end = b"" if endless.startswith(b"1") else b"0\r\n"
    async with Raw(quick_server.url) as raw:
        await raw.send(head(PATH, "Transfer-Encoding: chunked"), b"2\r\n{}\r\n", end)
        with suppress(ConnectionError):
            await raw.send(*[endless] * (4 * HEAD_BYTES // len(endless)))
        assert (await raw.answer()).status == 431


async def test_trailers_are_no_headers(quick_server: Server) -> None:
    trailers = b"X-Request-ID: a-trailer\r\nContent-Type: text/plain\r\n"
    async with Raw(quick_server.url) as raw:
        await raw.send(head(PATH, "Content-Type: application/json", "Transfer-Encoding: chunked"))
        await raw.send(b"2\r\n{}\r\n0\r\n", trailers, b"\r\n")
        answer = await raw.answer()
        assert (answer.status, b"a-trailer" in answer.head) == (400, False)


async def test_a_handshake_that_stays_half_is_ended(quick_server: Server) -> None:
    lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    async with Raw(quick_server.url) as raw:
        await raw.send(head("/ws/chat", *lines, method="GET")[:-2])
        assert (await raw.answer()).status == 408


async def test_a_socket_outlives_the_time_of_its_handshake(quick_server: Server) -> None:
    lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    async with Raw(quick_server.url) as raw:
        await raw.send(head("/ws/chat", *lines, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", method="GET"))
        assert b" 101 " in await raw.reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(2)
        # It is still there: nobody has signed in, and it is told so after five seconds.
        assert b"not_authenticated" in await asyncio.wait_for(raw.reader.readuntil(b"}}"), 30)


async def test_who_does_not_take_the_answer_is_cut(quick_server: Server) -> None:
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect((urlsplit(quick_server.url).hostname, urlsplit(quick_server.url).port))
    raw.setblocking(False)
    with raw:
        await asyncio.get_running_loop().sock_sendall(raw, head("/api/openapi.yaml", method="GET") * 100)
        await asyncio.sleep(6)
        assert await is_cut(raw)


async def is_cut(raw: sockets.socket) -> bool:
    """Read to the end of a connection; tell whether it was a hard one."""
    try:
        while await asyncio.get_running_loop().sock_recv(raw, 65536):
            pass
    except ConnectionResetError:
        return True
    return False


async def test_two_thousand_half_requests_hinder_nobody(server: Server) -> None:
    async with AsyncExitStack() as opened:
        for n in range(2000):
            raw = await opened.enter_async_context(Raw(server.url))
            await raw.send(head(PATH, "Content-Length: 100") if n % 2 else b"GET / HTTP/1.1\r\n")
        async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
            began = time.monotonic()
            for _ in range(20):
                assert (await client.get("/api/v1/server")).status_code == 200
        assert time.monotonic() - began < 20
