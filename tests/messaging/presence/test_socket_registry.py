"""The registry in Redis: what servers register there, and the queries over all of them."""

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
from messaging.presence import queries
from messaging.presence import socket_registry as registry
from messaging.presence.queries import find_soon, key_of, open_members, socket_member
from messaging.presence.socket_limit import SOCKETS_PER_PERSON
from messaging.presence.socket_registry import Registry

viewers_of, servers_of, is_online = map(sync_to_async, (queries.viewers_of, queries.servers_of, queries.is_online))


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
    """Let a server without heartbeats count as gone after a second, not half a minute."""
    monkeypatch.setattr(registry, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(registry, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(registry, "KEY_SECONDS", 1.5)
    for module in (registry, queries):
        monkeypatch.setattr(module, "DEAD_AFTER", 1.0)


class KillableBackground(Background):
    """Tasks that can be cancelled all at once, as a power failure would."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[asyncio.Task[Any]] = []

    def run(self, coroutine: Any) -> asyncio.Task[Any]:
        self.started.append(super().run(coroutine))
        return self.started[-1]


class Server(Registry):
    """A server process, as far as Redis knows one; it can be killed."""

    def __init__(self) -> None:
        self.background = KillableBackground()
        self.found_server_gone = asyncio.Event()
        super().__init__(self.background, on_vanished=self.found_server_gone.set)

    async def connect(self, user_id: UUID) -> int | None:
        return await self.enter(socket_member(user_id, uuid7().hex, uuid7(), 0))

    @property
    def keys(self) -> list[str]:
        """All keys that Redis has of it, and the ones about all servers."""
        return [registry.SERVERS, registry.BEGAN, *(key_of(self.server, kind) for kind in ("sockets", "open"))]

    def kill(self) -> None:
        for task in self.background.started:
            task.cancel()


async def until(query: Callable[[], Awaitable[object]], wanted: object, *, within: float = 20.0) -> None:
    """Repeat a query until it returns what is wanted."""
    async with asyncio.timeout(within):
        while await query() != wanted:  # noqa: ASYNC110 (it is Redis that changes)
            await asyncio.sleep(0.05)


async def test_the_queries_tell_who_is_connected_where_and_who_views_which_conversation() -> None:
    one, two, alice, bob, room, other = Server(), Server(), uuid7(), uuid7(), uuid7(), uuid7()
    await one.connect(alice)
    await two.connect(alice)
    await two.connect(bob)
    for server, user, conversation in ((one, alice, room), (two, alice, other), (two, bob, room)):
        for member in open_members(conversation, user, "a"):
            server.add("open", member)
    await until(lambda: viewers_of(room), {alice, bob})
    assert await servers_of(alice) == {one.server, two.server}
    assert await servers_of(bob) == {two.server}
    assert await viewers_of(other) == {alice}
    opened = (await find_soon("open", [f"u:{alice.hex}"])).members[0]
    assert {UUID(member.split(":")[2]) for _, member in opened} == {room, other}
    assert await is_online(alice)
    assert not await is_online(uuid7())


async def test_of_many_sockets_at_once_on_two_servers_fifty_are_accepted() -> None:
    servers, alice = [Server(), Server()], uuid7()
    before = await asyncio.gather(*(servers[n % 2].connect(alice) for n in range(120)))
    assert sorted(before) == [*range(SOCKETS_PER_PERSON), *[SOCKETS_PER_PERSON] * 70]
    found = await find_soon("sockets", [alice.hex])
    assert len(found.members[0]) == SOCKETS_PER_PERSON


@pytest.mark.alone
async def test_two_thousand_sockets_that_connect_at_once_cost_a_few_calls(redis: Redis) -> None:
    server = Server()
    await server.connect(uuid7())
    before = (await redis.info("commandstats"))["cmdstat_eval"]["calls"]
    await asyncio.gather(*(server.connect(uuid7()) for _ in range(2000)))
    # Servers of other tests share this Redis and send heartbeats meanwhile.
    assert (await redis.info("commandstats"))["cmdstat_eval"]["calls"] - before < 40


@pytest.mark.usefixtures("quick")
async def test_the_sockets_of_a_killed_server_disappear_and_the_others_notice(redis: Redis) -> None:
    doomed, other, alice = Server(), Server(), uuid7()
    await doomed.connect(alice)
    await other.connect(uuid7())
    await until(lambda: is_online(alice), True)
    doomed.kill()
    await asyncio.wait_for(other.found_server_gone.wait(), 20)
    assert not await is_online(alice)
    await until(lambda: redis.exists(f"presence:{doomed.server}:sockets"), 0)


async def test_a_server_that_stops_removes_all_that_it_has_registered(redis: Redis) -> None:
    server, alice = Server(), uuid7()
    await server.connect(alice)
    await server.withdraw()
    assert await server.connect(alice) is None
    assert not await is_online(alice)
    assert not await redis.exists(*(key_of(server.server, kind) for kind in ("sockets", "open")))


@pytest.mark.usefixtures("quick")
async def test_what_redis_has_lost_is_registered_again_at_the_next_heartbeat(redis: Redis) -> None:
    server, alice, room = Server(), uuid7(), uuid7()
    await server.connect(alice)
    for member in open_members(room, alice, "a"):
        server.add("open", member)
    await until(lambda: viewers_of(room), {alice})
    await redis.delete(*server.keys)
    await until(lambda: is_online(alice), True, within=5)
    await until(lambda: viewers_of(room), {alice}, within=5)
    assert (await find_soon("sockets", [])).age < 5


async def test_a_new_socket_after_redis_has_lost_everything_registers_the_others_again(redis: Redis) -> None:
    server, alice, bob = Server(), uuid7(), uuid7()
    await server.connect(alice)
    await redis.delete(*server.keys)
    assert await server.connect(bob) == 0
    assert await is_online(alice)


@pytest.mark.usefixtures("quick")
async def test_while_redis_is_paused_nobody_waits_and_it_is_logged_once(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    server, alice, bob = Server(), uuid7(), uuid7()
    gone = socket_member(bob, "a", uuid7(), 0)
    await server.enter(gone)
    await redis.client_pause(2500)
    with caplog.at_level(logging.WARNING):
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await server.connect(alice) is None
        assert loop.time() - began < 2
        began = loop.time()
        assert await asyncio.gather(*(server.connect(alice) for _ in range(100))) == [None] * 100
        server.remove("sockets", gone)
        assert loop.time() - began < 0.2
        await until(lambda: _size(alice), 101)
    assert not await is_online(bob)
    assert [
        record.message.split(",")[0] for record in caplog.records if record.name == "messaging.presence.socket_registry"
    ] == [
        "Redis does not answer",
        "Redis is back; presence is registered again",
    ]


async def _size(user_id: UUID) -> int:
    try:
        return len((await find_soon("sockets", [user_id.hex])).members[0])
    except registry.REDIS_ERRORS:
        return 0
