"""One server's part of the registry in Redis: it writes what is here, and beats so that it stays.

What is written gathers while the last call is on its way, so that two thousand sockets that come at once are a few
calls. Where Redis is away nothing waits for it: what is here is known here, and is written anew when Redis is back.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import uuid4

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from chatproject.core.background import Background
from messaging.presence.queries import BEGAN, DEAD_AFTER, PATIENCE, SERVERS, Kind, key_of

logger = logging.getLogger(__name__)

BEAT_EVERY = 10.0
RETRY_EVERY = 1.0
"""Seconds between two beats while Redis does not answer."""
KEPT = 45.0
"""Seconds that a server's keys outlive its last beat."""
SOCKETS_MOST = 50
"""Sockets of one person, on all servers together."""
BATCH_LENGTH = 500
AWAY = (RedisError, OSError, TimeoutError)

BEAT = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('SET', KEYS[2], now, 'NX')
redis.call('PEXPIRE', KEYS[3], ARGV[3])
redis.call('PEXPIRE', KEYS[4], ARGV[3])
local sizes = {redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4])}
return {known and 1 or 0, sizes[1], sizes[2], redis.call('ZRANGE', KEYS[1], 0, -1)}
"""
# Counting and adding are one step, so that no two sockets are the fiftieth. Answers, for each thing said, how many
# sockets the person had before, 0 where nothing is counted; nothing at all if Redis does not know this server.
WRITE = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return false end
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local others, before = {}, {}
for _, server in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[2], '+inf')) do
    if server ~= ARGV[1] then others[#others + 1] = 'presence:' .. server .. ':sockets' end
end
others[#others + 1] = KEYS[2]
for i = 5, #ARGV, 3 do
    local act, key, member = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local count = 0
    if act == 'enter' then
        local user = string.match(member, '^[^:]+')
        for _, other in ipairs(others) do
            count = count + redis.call('ZLEXCOUNT', other, '[' .. user .. ':', '(' .. user .. ';')
        end
    end
    if act == 'remove' then
        redis.call('ZREM', key, member)
    elseif count < tonumber(ARGV[4]) then
        redis.call('ZADD', key, 0, member)
    end
    before[#before + 1] = count
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return before
"""


class Write(NamedTuple):
    """Something to be written; `done` gives the number of sockets before, None if Redis was away."""

    act: str
    kind: Kind
    member: str
    done: "asyncio.Future[int | None]"


class Registry:
    """What this server process has registered, or would have if Redis were there."""

    def __init__(self, background: Background, *, on_vanished: Callable[[], None]) -> None:
        self.server = uuid4().hex
        self._background = background
        self._on_vanished = on_vanished
        self._here: dict[Kind, set[str]] = {"sockets": set(), "open": set()}
        self._waiting: list[Write] = []
        self._writing: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._beat_now = asyncio.Event()
        self._is_away = False
        self._is_whole = False
        """Whether all that is here stands in Redis, as far as is known."""
        self._living: set[str] = set()

    def start(self) -> None:
        """Beat from now on."""
        if self._beating is None:
            self._beating = self._background.run(self._keep_beating())

    async def withdraw(self) -> None:
        """Take this server and all that it has registered out of Redis, and write nothing more."""
        async with self._one_at_a_time:
            if self._beating is None or self._is_away:
                return
            self._beating.cancel()
            try:
                async with asyncio.timeout(PATIENCE):
                    client = get_channel_layer().redis()
                    await client.delete(*self._keys)
                    await client.zrem(SERVERS, self.server)
            except AWAY as error:
                self._lose(error)
            self._is_away = True
            waiting, self._waiting = self._waiting, []
            for write in waiting:
                self._settle(write, None)

    def look_soon(self) -> None:
        """Find out at once whether Redis has kept what is here."""
        self._beat_now.set()

    # What is here

    async def enter(self, member: str) -> int | None:
        """Register a socket unless its person has too many; give how many there were, None where Redis is away."""
        self.start()
        return await self._write("enter", "sockets", member)

    def leave(self, member: str) -> "asyncio.Future[int | None]":
        return self.remove("sockets", member)

    def add(self, kind: Kind, member: str) -> None:
        self._here[kind].add(member)
        self._write("add", kind, member)

    def remove(self, kind: Kind, member: str) -> "asyncio.Future[int | None]":
        self._here[kind].discard(member)
        return self._write("remove", kind, member)

    def _write(self, act: str, kind: Kind, member: str) -> "asyncio.Future[int | None]":
        write = Write(act, kind, member, asyncio.get_running_loop().create_future())
        if self._is_away:
            self._settle(write, None)
        else:
            self._waiting.append(write)
            if self._writing is None or self._writing.done():
                self._writing = self._background.run(self._write_gathered())
        return write.done

    def _settle(self, write: Write, before: int | None) -> None:
        # Whoever does not wait any more has gone, and takes the socket out behind this.
        if write.done.done():
            return
        if write.act == "enter" and (before is None or before < SOCKETS_MOST):
            self._here["sockets"].add(write.member)
        write.done.set_result(before)

    # Redis

    async def _write_gathered(self) -> None:
        while self._waiting:
            async with self._one_at_a_time:
                batch, self._waiting = self._waiting[:BATCH_LENGTH], self._waiting[BATCH_LENGTH:]
                try:
                    answers = await self._say(batch)
                except AWAY as error:
                    self._lose(error)
                    batch, self._waiting = batch + self._waiting, []
                    answers = [None] * len(batch)
                for write, before in zip(batch, answers, strict=True):
                    self._settle(write, before)

    async def _say(self, batch: list[Write]) -> list[int | None]:
        words = [word for each in batch for word in (each.act, key_of(self.server, each.kind), each.member)]
        limits = [int(DEAD_AFTER * 1000), int(KEPT * 1000), SOCKETS_MOST]
        answers = None
        while answers is None:
            if not self._is_whole:
                await self._beat()
            answers = await self._ask(WRITE, 3, SERVERS, *self._keys, self.server, *limits, *words)
            self._is_whole = answers is not None
        return list(answers)

    @property
    def _keys(self) -> list[str]:
        return [key_of(self.server, kind) for kind in self._here]

    async def _ask(self, *call: Any) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await get_channel_layer().redis().eval(*call)

    async def _keep_beating(self) -> None:
        while True:
            async with self._one_at_a_time:
                try:
                    await self._beat()
                except AWAY as error:
                    self._lose(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._beat_now.wait(), RETRY_EVERY if self._is_away else BEAT_EVERY)
            self._beat_now.clear()

    async def _beat(self) -> None:
        """Say that this server lives; register all anew where Redis has lost something of it."""
        times = [int(seconds * 1000) for seconds in (DEAD_AFTER, KEPT)]
        known, *sizes, servers = await self._ask(BEAT, 4, SERVERS, BEGAN, *self._keys, self.server, *times)
        if not (self._is_whole and known and sizes == [len(members) for members in self._here.values()]):
            await self._register()
        if self._is_away:
            logger.warning("Redis is back; who is here is registered again")
        self._is_away, self._is_whole = False, True
        living = {server.decode() for server in servers}
        if self._living - living:
            self._on_vanished()
        self._living = living

    async def _register(self) -> None:
        async with asyncio.timeout(PATIENCE), get_channel_layer().redis().pipeline(transaction=True) as pipeline:
            for kind, members in self._here.items():
                key, sorted_members = key_of(self.server, kind), sorted(members)
                pipeline.delete(key)
                for first in range(0, len(sorted_members), BATCH_LENGTH):
                    pipeline.zadd(key, dict.fromkeys(sorted_members[first : first + BATCH_LENGTH], 0))
                pipeline.pexpire(key, int(KEPT * 1000))
            await pipeline.execute()

    def _lose(self, error: BaseException) -> None:
        if not self._is_away:
            logger.warning("Redis does not answer, who is here is known here alone: %s", type(error).__name__)
        self._is_away, self._is_whole = True, False
