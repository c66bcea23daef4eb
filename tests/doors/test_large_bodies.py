"""A body that is too large is answered 413, and whoever sent it gets to read that."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import orjson
import pytest
from django.conf import settings

from accounts.models import User
from chatproject.server.body_limit import DISCARDED_MOST
from tests.support.raw import Answer, Raw, head
from tests.support.server import Server

MEGABYTE = 1024 * 1024
PATH = "/api/v1/messages"
PIECE = b"x" * 65536


def assert_too_large(answer: Answer) -> None:
    problem = orjson.loads(answer.body)
    assert (answer.status, problem["code"], problem["status"]) == (413, "too_large", 413)
    assert b"connection: close" in answer.head.lower()
    assert f"x-request-id: {problem['request_id']}".encode() in answer.head.lower()


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // len(PIECE)):
        yield b"%x\r\n%b\r\n" % (len(PIECE), PIECE)


@pytest.mark.parametrize("size", [settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1, 8 * MEGABYTE])
async def test_a_body_of_a_known_length_is_read_to_its_end_before_the_connection_is_closed(
    server: Server, size: int
) -> None:
    async with Raw(server.url) as raw:
        await raw.send(
            head(PATH, f"Content-Length: {size}"), *[PIECE] * (size // len(PIECE)), b"x" * (size % len(PIECE))
        )
        assert_too_large(await raw.answer())
        assert await raw.is_closed()


async def test_a_body_that_comes_in_chunks_is_answered_as_soon_as_it_is_too_large(server: Server) -> None:
    async with Raw(server.url) as raw:
        await raw.send(head(PATH, "Transfer-Encoding: chunked"), *chunks(2 * MEGABYTE))
        assert_too_large(await raw.answer())
        await raw.send(*chunks(4 * MEGABYTE), b"0\r\n\r\n")
        assert await raw.is_closed()


async def test_who_asks_first_whether_to_send_it_is_told_not_to(server: Server) -> None:
    async with Raw(server.url) as raw:
        await raw.send(head(PATH, f"Content-Length: {2 * MEGABYTE}", "Expect: 100-continue"))
        assert_too_large(await raw.answer())


async def test_who_asks_first_and_sends_too_much_in_chunks_is_told_while_it_comes(server: Server) -> None:
    async with Raw(server.url) as raw:
        await raw.send(head(PATH, "Transfer-Encoding: chunked", "Expect: 100-continue"))
        assert (await raw.answer()).status == 100
        await raw.send(*chunks(2 * MEGABYTE))
        assert_too_large(await raw.answer())


async def test_a_page_answers_in_plain_words(server: Server) -> None:
    async with Raw(server.url) as raw:
        await raw.send(head("/accounts/login/", f"Content-Length: {2 * MEGABYTE}"))
        answer = await raw.answer()
    assert (answer.status, b"bytes" in answer.body) == (413, True)


async def test_who_sends_without_end_is_cut_off(server: Server) -> None:
    sent = 0
    async with Raw(server.url) as raw:
        with suppress(ConnectionError):
            await raw.send(head(PATH, f"Content-Length: {10**9}"))
            while sent < 8 * DISCARDED_MOST:
                await raw.send(PIECE)
                sent += len(PIECE)
    assert sent < 4 * DISCARDED_MOST


@pytest.mark.parametrize("_server", ["uvicorn", "daphne"], indirect=True)
def test_an_ordinary_client_reads_the_answer(server: Server, access: Callable[[User], str], alice: User) -> None:
    known = {"Authorization": f"Bearer {access(alice)}", "Content-Type": "application/json"}
    for body in (b"x" * (2 * MEGABYTE), lambda: iter([PIECE] * 64)):
        content: Any = body if isinstance(body, bytes) else body()
        answer = httpx.post(f"{server.url}{PATH}", content=content, headers=known, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_the_limit_is_told(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        limits = (await client.get(f"{server.url}/api/v1/server")).json()["data"]["limits"]
        assert limits["body_bytes"] == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        most = b'{"text":"' + b"x" * (limits["body_bytes"] - 11) + b'"}'
        answer = await client.post(f"{server.url}{PATH}", content=most)
    assert (len(most), answer.status_code) == (limits["body_bytes"], 401)
