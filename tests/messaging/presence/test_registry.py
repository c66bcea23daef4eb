"""The registry in Redis: what servers say of themselves there, and what it answers about all of them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from redis.asyncio import Redis

from chatproject.core.background import Background
from chatproject.core.ids import uuid7
from messaging.presence import queries, registry
from messaging.presence.queries import find_soon, key_of, open_members, socket_member
from messaging.presence.registry import SOCKETS_MOST, Registry

viewers_of, opened_by, servers_of, is_online = map(
    sync_to_async, (queries.viewers_of, queries.opened_by, queries.servers_of, queries.is_online)
)


@pytest.fixture(autouse=True)
async def redis(live: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Redis]:
    """Redis, with a list of servers of the test's own: the servers that all tests share are no part of this."""
    client, names = get_channel_layer().redis(), {name: f"presence:test:{uuid7()}" for name in ("SERVERS", "BEGAN")}
    for name, key in names.items():
        monkeypatch.setattr(registry, name, key)
        monkeypatch.setattr(queries, name, key)
    yield client
    await client.delete(*names.values())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a server that beats no more be gone after a second, not half a minute."""
    monkeypatch.setattr(registry, "BEAT_EVERY", 0.2)
    monkeypatch.setattr(registry, "RETRY_EVERY", 0.1)
    monkeypatch.setattr(registry, "KEPT", 1.5)
    for module in (registry, queries):
        monkeypatch.setattr(module, "DEAD_AFTER", 1.0)


class Mortal(Background):
    """Tasks that can be ended all at once, as a power failure would."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[asyncio.Task[Any]] = []

    def run(self, coroutine: Any) -> asyncio.Task[Any]:
        self.started.append(super().run(coroutine))
        return self.started[-1]


class Server(Registry):
    """A server process, as far as Redis knows one; it can be killed."""

    def __init__(self) -> None:
        self.background = Mortal()
        self.found_a_server_gone = asyncio.Event()
        super().__init__(self.background, on_vanished=self.found_a_server_gone.set)

    async def come(self, user_id: UUID) -> int | None:
        return await self.enter(socket_member(user_id, uuid7().hex, uuid7(), 0))

    @property
    def keys(self) -> list[str]:
        """All that Redis has of it, and of there being any servers."""
        return [registry.SERVERS, registry.BEGAN, *(key_of(self.server, kind) for kind in ("sockets", "open"))]

    def kill(self) -> None:
        for task in self.background.started:
            task.cancel()


async def until(asked: Callable[[], Awaitable[object]], wanted: object, *, within: float = 20.0) -> None:
    """Ask again and again until the answer is what is wanted."""
    async with asyncio.timeout(within):
        while await asked() != wanted:  # noqa: ASYNC110 (it is Redis that changes)
            await asyncio.sleep(0.05)


async def test_what_servers_have_registered_answers_who_is_where_and_looks_at_what() -> None:
    one, two, alice, bob, room, other = Server(), Server(), uuid7(), uuid7(), uuid7(), uuid7()
    await one.come(alice)
    await two.come(alice)
    await two.come(bob)
    for server, user, conversation in ((one, alice, room), (two, alice, other), (two, bob, room)):
        for member in open_members(conversation, user, "a"):
            server.add("open", member)
    await until(lambda: viewers_of(room), {alice, bob})
    assert await servers_of(alice) == {one.server, two.server}
    assert await servers_of(bob) == {two.server}
    assert await opened_by(alice) == {room, other}
    assert await is_online(alice)
    assert not await is_online(uuid7())


async def test_of_many_at_once_on_two_servers_fifty_are_let_in() -> None:
    servers, alice = [Server(), Server()], uuid7()
    before = await asyncio.gather(*(servers[n % 2].come(alice) for n in range(120)))
    assert sorted(before) == [*range(SOCKETS_MOST), *[SOCKETS_MOST] * 70]
    found = await find_soon("sockets", [alice.hex])
    assert len(found.there[0]) == SOCKETS_MOST


@pytest.mark.alone
async def test_two_thousand_that_come_at_once_are_a_few_calls(redis: Redis) -> None:
    server = Server()
    await server.come(uuid7())
    before = (await redis.info("commandstats"))["cmdstat_eval"]["calls"]
    await asyncio.gather(*(server.come(uuid7()) for _ in range(2000)))
    # Servers of other tests, which share this Redis, look after themselves meanwhile.
    assert (await redis.info("commandstats"))["cmdstat_eval"]["calls"] - before < 40


@pytest.mark.usefixtures("quick")
async def test_a_killed_server_leaves_nobody_behind_and_the_others_find_it_gone(redis: Redis) -> None:
    doomed, other, alice = Server(), Server(), uuid7()
    await doomed.come(alice)
    await other.come(uuid7())
    await until(lambda: is_online(alice), True)
    doomed.kill()
    await asyncio.wait_for(other.found_a_server_gone.wait(), 20)
    assert not await is_online(alice)
    await until(lambda: redis.exists(f"presence:{doomed.server}:sockets"), 0)


async def test_a_server_that_ends_takes_all_that_it_has_registered_along(redis: Redis) -> None:
    server, alice = Server(), uuid7()
    await server.come(alice)
    await server.withdraw()
    assert await server.come(alice) is None
    assert not await is_online(alice)
    assert not await redis.exists(*(key_of(server.server, kind) for kind in ("sockets", "open")))


@pytest.mark.usefixtures("quick")
async def test_what_redis_has_lost_is_there_again_after_a_beat(redis: Redis) -> None:
    server, alice, room = Server(), uuid7(), uuid7()
    await server.come(alice)
    for member in open_members(room, alice, "a"):
        server.add("open", member)
    await until(lambda: viewers_of(room), {alice})
    await redis.delete(*server.keys)
    await until(lambda: is_online(alice), True, within=5)
    await until(lambda: viewers_of(room), {alice}, within=5)
    assert (await find_soon("sockets", [])).age < 5


async def test_a_socket_that_comes_after_redis_has_lost_everything_brings_the_others_along(redis: Redis) -> None:
    server, alice, bob = Server(), uuid7(), uuid7()
    await server.come(alice)
    await redis.delete(*server.keys)
    assert await server.come(bob) == 0
    assert await is_online(alice)


@pytest.mark.usefixtures("quick")
async def test_while_redis_is_paused_nobody_waits_and_it_is_said_once(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    server, alice, bob = Server(), uuid7(), uuid7()
    gone = socket_member(bob, "a", uuid7(), 0)
    await server.enter(gone)
    await redis.client_pause(2500)
    with caplog.at_level(logging.WARNING):
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await server.come(alice) is None
        assert loop.time() - began < 2
        began = loop.time()
        assert await asyncio.gather(*(server.come(alice) for _ in range(100))) == [None] * 100
        server.remove("sockets", gone)
        assert loop.time() - began < 0.2
        await until(lambda: _size(alice), 101)
    assert not await is_online(bob)
    assert [
        record.message.split(",")[0] for record in caplog.records if record.name == "messaging.presence.registry"
    ] == [
        "Redis does not answer",
        "Redis is back; who is here is registered again",
    ]


async def _size(user_id: UUID) -> int:
    try:
        return len((await find_soon("sockets", [user_id.hex])).there[0])
    except registry.AWAY:
        return 0
