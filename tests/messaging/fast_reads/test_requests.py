"""Unusual requests for a page of history: what is not plain is handed on, and every call is counted once."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone

from accounts.auth.tokens import AccessClaims
from accounts.models import Session, User
from chatproject.core.dedicated_connection import DedicatedConnection
from chatproject.core.ids import uuid7
from chatproject.core.rate_limits import quotas
from conversations.models import Conversation
from messaging.fast_reads import tokens
from messaging.fast_reads.connections import CONNECTIONS, ReadConnections
from messaging.fast_reads.headers import LearnedHeaders, kind_of
from messaging.fast_reads.messages import MessageReads
from messaging.fast_reads.queries import PageQuery
from messaging.messages.json import REACTIONS
from tests.messaging.fast_reads.test_both_ways import path_of
from tests.support.server import Server, running

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def _limited(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as environ, django_db_blocker.unblock():
        environ.setenv("CHAT_LIMITS", "on")
        with running() as server:
            yield server


@pytest.fixture
def limited(committed: None, _limited: Server) -> Server:
    """A server with rate limits."""
    return _limited


@pytest.fixture
def app(limited: Server, access: Callable[[User], str]) -> Iterator[Callable[[User], httpx.Client]]:
    opened = []

    def sign_in(user: User) -> httpx.Client:
        opened.append(httpx.Client(base_url=limited.url, headers={"Authorization": f"Bearer {access(user)}"}))
        opened[-1].get("/api/v1/users/me")
        return opened[-1]

    yield sign_in
    for each in opened:
        each.close()


def used(answer: httpx.Response) -> int:
    """How much of the limit of calls is used up."""
    remaining = answer.headers["RateLimit"].partition(";r=")[2].partition(";")[0]
    return quotas.CALLS.capacity - int(remaining)


def test_a_body_costs_as_much_as_for_any_other_call(
    app: Callable[[User], httpx.Client], conversation: Conversation, alice: User
) -> None:
    one, large = app(alice), b" " * 50 * 4096
    one.get(path_of(conversation))
    before = used(one.get(path_of(conversation)))
    after = used(one.request("GET", path_of(conversation), content=large, headers=JSON))
    assert after - before > 45


def test_an_ended_session_uses_up_nothing_of_its_person(
    app: Callable[[User], httpx.Client], conversation: Conversation, alice: User
) -> None:
    stolen, own = app(alice), app(alice)
    assert stolen.get(path_of(conversation)).is_success
    ended = Session.objects.filter(user=alice).order_by("pk").first()
    assert ended is not None
    Session.objects.filter(pk=ended.pk).update(ended_at=timezone.now())
    before = used(own.get(path_of(conversation)))
    for _ in range(60):
        assert stolen.get(path_of(conversation)).json()["code"] == "session_revoked"
    assert used(own.get(path_of(conversation))) - before < 20


def test_who_is_no_member_is_counted_once(
    app: Callable[[User], httpx.Client], conversation: Conversation, mallory: User
) -> None:
    one = app(mallory)
    found = [used(one.get(path_of(conversation))) for _ in range(10)]
    assert 5 < found[-1] - found[0] < 12


def test_two_headers_of_one_name_are_left_to_django(
    limited: Server, access: Callable[[User], str], group: Conversation, alice: User
) -> None:
    own = ("Authorization", f"Bearer {access(alice)}")
    for headers, status in (([own], 200), ([own], 200), ([own, own], 401)):
        assert httpx.get(limited.url + path_of(group), headers=headers).status_code == status


def test_tokens_that_are_not_ours_are_not_remembered() -> None:
    before = tokens.verified.cache_info().currsize
    for n in range(20):
        assert tokens.claims_of(b"Bearer %d.y.z" % n) is None
        assert tokens.claims_of(b"Bearer" + b" " * 60_000 + b"%d.y.z" % n) is None
    assert tokens.verified.cache_info().currsize == before


async def test_nobody_waits_long_for_a_busy_connection() -> None:
    connections = ReadConnections()
    async with asyncio.timeout(5):
        held = [connections.one() for _ in range(CONNECTIONS)]
        for each in held:
            await each.__aenter__()
        with pytest.raises(TimeoutError):
            async with connections.one():
                pass
        await held[0].__aexit__(None, None, None)
        async with connections.one():
            pass


def test_headers_that_set_a_cookie_are_not_learned() -> None:
    kind, learned = kind_of("history", {}, {}), LearnedHeaders()
    learned.learn(kind, [(b"Set-Cookie", b"sessionid=1"), (b"Vary", b"Cookie")])
    assert learned.get(kind) is None


class Restored(DedicatedConnection):
    """A database that is restored while the reactions of a page are read; another, empty page is read then."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.generation = MessageReads(), 1
        self._message, self._now = (uuid7(), uuid7(), 1, 2, uuid7(), "text", None), timezone.now()
        self._is_empty = False

    async def run(self, sql: str, values: dict[str, object]) -> Sequence[tuple[Any, ...]]:
        if sql != REACTIONS:
            answer = UUID(int=self.generation)
            message = (None,) * 12 if self._is_empty else (*self._message, answer, None, self._now, None, self._now)
            return [(self.generation, *message)]
        if self.generation == 1:
            self.generation, self._is_empty = 2, True
            await self.page()
            self._is_empty = False
        return []

    async def page(self) -> bytes:
        claims = AccessClaims(uuid7(), uuid7(), uuid7(), 0.0)
        return await self.reads.read(PageQuery(uuid7(), 50), by=claims, on=self) or b""


async def test_a_page_of_the_time_before_a_restore_leaves_nothing_behind() -> None:
    database = Restored()
    assert str(UUID(int=1)) in (await database.page()).decode()
    assert str(UUID(int=2)) in (await database.page()).decode()
