"""`/metrics`: numbers for monitoring, without any names."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import Client as Page

from accounts.models import User
from chatproject.core.metrics import exposition
from conversations.models import Conversation
from messaging.socket.send_queue import QUEUE_LENGTH
from tests.messaging.helpers import append_unheard, draft
from tests.messaging.socket.test_send_queue import Connection
from tests.support.client import Client
from tests.support.server import Server

TOKEN = "a token for those who watch"
ELSEWHERE = "203.0.113.5"


def numbers(text: str) -> dict[str, float]:
    """Read the exposition format: every series and its value."""
    return {name: float(value) for name, value in re.findall(r"^(parley_[^ ]+) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def page(db: None, client: Page) -> Callable[..., "tuple[int, str]"]:
    """Get the page from an address, with some headers; return status and text."""

    def look(address: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
        answer = client.get("/metrics", REMOTE_ADDR=address, headers=headers)
        return answer.status_code, answer.content.decode()

    return look


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_may_read_the_metrics(page: Callable[..., tuple[int, str]], address: str) -> None:
    status, text = page(address)
    assert (status, numbers(text)["parley_partitions_ahead"]) == (200, 4)


@pytest.mark.parametrize("shown", ["", TOKEN], ids=["no token is set", "a token is set"])
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer guessed", f"Basic {TOKEN}", "Bearer é"])
def test_others_find_no_such_page(
    page: Callable[..., tuple[int, str]], settings: Any, shown: str, authorization: str
) -> None:
    settings.METRICS_TOKEN = shown
    status, text = page(ELSEWHERE, authorization=authorization)
    assert status == 404
    assert "parley_" not in text


def test_whoever_has_the_token_may_read_the_metrics_from_anywhere(
    page: Callable[..., tuple[int, str]], settings: Any
) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert page(ELSEWHERE, authorization=f"Bearer {TOKEN}")[0] == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_on_this_machine_hands_on_is_not_from_this_machine(
    page: Callable[..., tuple[int, str]], header: str
) -> None:
    assert page(**{header: ELSEWHERE})[0] == 404


@pytest.mark.parametrize(("name", "value"), [("BEHIND_TLS", True), ("TRUSTED_PROXIES", ["10.0.0.7"])])
def test_behind_a_proxy_nobody_reads_the_metrics_without_the_token(
    page: Callable[..., tuple[int, str]], settings: Any, name: str, value: Any
) -> None:
    setattr(settings, name, value)
    settings.METRICS_TOKEN = TOKEN
    assert [page()[0], page(authorization=f"Bearer {TOKEN}")[0]] == [404, 200]


async def test_they_count_what_happens(
    server: Server, app: Callable[[User], Awaitable[Client]], alice: User, bob: User, conversation: Conversation
) -> None:
    before = await counted_when_all_have_gone(server)
    async with (await app(alice)).socket() as speaker, (await app(bob)).socket() as screen:
        await speaker.say(str(conversation.pk), "Hi")
        await (await app(bob)).post("/messages", conversation_id=str(conversation.pk), text="Ho")
        await screen.next("message.created")
        during = await counted(server)
    assert during["parley_sockets"] == 2
    assert during["parley_messages_total"] - before["parley_messages_total"] == 2
    for name in ("parley_batch_messages_count", "parley_batch_messages_sum", "parley_append_seconds_count"):
        assert during[name] - before[name] == 1
    assert (await counted_when_all_have_gone(server))["parley_sockets"] == 0


async def test_a_gap_that_was_repaired_is_counted(
    server: Server, app: Callable[[User], Awaitable[Client]], alice: User, bob: User, conversation: Conversation
) -> None:
    before = await counted(server)
    async with (await app(bob)).socket() as screen:
        await unheard(alice, conversation)
        await (await app(alice)).post("/messages", conversation_id=str(conversation.pk), text="Ho")
        assert [(await screen.next("message.created"))["version"] for _ in range(2)] == [1, 2]
        after = await counted(server)
    assert after["parley_gaps_repaired_total"] - before["parley_gaps_repaired_total"] == 1


async def test_what_only_the_audit_found_is_counted(
    server: Server, app: Callable[[User], Awaitable[Client]], alice: User, bob: User, conversation: Conversation
) -> None:
    before = await counted(server)
    async with (await app(bob)).socket() as screen:
        await unheard(alice, conversation)
        await screen.next("message.created", within=20)
        after = await counted(server)
    assert after["parley_audit_found_total"] - before["parley_audit_found_total"] == 1


def test_a_full_queue_is_counted() -> None:
    line, before = Connection(), numbers(exposition(partitions_ahead=4, followers={}).decode())
    line.is_free = False
    line.put(*map(str, range(QUEUE_LENGTH + 2)))
    after = numbers(exposition(partitions_ahead=4, followers={}).decode())
    assert after["parley_queue_overflows_total"] - before["parley_queue_overflows_total"] == 1


async def test_the_metrics_name_nobody(
    server: Server, app: Callable[[User], Awaitable[Client]], alice: User, conversation: Conversation
) -> None:
    async with (await app(alice)).socket() as speaker:
        await speaker.say(str(conversation.pk), "a secret sentence")
        text = (await look(server)).text
    for name in ("alice", "Alice", "bob", str(alice.pk), str(conversation.pk), "secret", "127.0.0.1"):
        assert name not in text


@sync_to_async
def unheard(by: User, conversation: Conversation) -> None:
    append_unheard(draft(by, conversation))


async def look(server: Server) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"{server.url}/metrics")


async def counted_when_all_have_gone(server: Server) -> dict[str, float]:
    """Wait until the server has noticed that the sockets are closed."""
    async with asyncio.timeout(20):
        while True:
            if not (numbers := await counted(server))["parley_sockets"]:
                return numbers
            await asyncio.sleep(0.02)


async def counted(server: Server) -> dict[str, float]:
    return numbers((await look(server)).text)
