"""One server's part of the registry in Redis: it registers the sockets here, and sends heartbeats that keep its keys.

Writes are batched while the last call is on its way, so that two thousand sockets that connect at once cost a few
calls. While Redis is unreachable nothing waits for it: this process remembers what it would have registered, and
registers it again when Redis is back.
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
from messaging.presence.queries import BEGAN, REDIS_TIMEOUT, SERVERS, Kind, key_of
from messaging.presence.server_heartbeat import DEAD_AFTER, HEARTBEAT_SECONDS, KEY_SECONDS, RETRY_SECONDS
from messaging.presence.socket_limit import SOCKETS_PER_PERSON

logger = logging.getLogger(__name__)

BATCH_LENGTH = 500
REDIS_ERRORS = (RedisError, OSError, TimeoutError)

HEARTBEAT = """
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
# Counting and adding are one step, so that no two sockets are the fiftieth. Returns for each write how many sockets the
# person had before, 0 where nothing is counted; returns nothing at all if Redis does not know this server.
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
    """A pending write; `done` resolves to the number of sockets before, or to None if Redis was unreachable."""

    act: str
    kind: Kind
    member: str
    done: "asyncio.Future[int | None]"


class Registry:
    """What this server process has registered, or would have if Redis were reachable."""

    def __init__(self, background: Background, *, on_vanished: Callable[[], None]) -> None:
        self.server = uuid4().hex
        self._background = background
        self._on_vanished = on_vanished
        self._members: dict[Kind, set[str]] = {"sockets": set(), "open": set()}
        self._pending: list[Write] = []
        self._writing: asyncio.Task[None] | None = None
        self._heartbeat_task: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._check_now = asyncio.Event()
        self._is_unreachable = False
        self._is_complete = False
        """Whether Redis has all members of this process, as far as is known."""
        self._living: set[str] = set()

    def start(self) -> None:
        """Send heartbeats from now on."""
        if self._heartbeat_task is None:
            self._heartbeat_task = self._background.run(self._send_heartbeats())

    async def withdraw(self) -> None:
        """Remove this server and all that it has registered from Redis, and write nothing more."""
        async with self._lock:
            if self._heartbeat_task is None or self._is_unreachable:
                return
            self._heartbeat_task.cancel()
            try:
                async with asyncio.timeout(REDIS_TIMEOUT):
                    client = get_channel_layer().redis()
                    await client.delete(*self._keys)
                    await client.zrem(SERVERS, self.server)
            except REDIS_ERRORS as error:
                self._note_unreachable(error)
            self._is_unreachable = True
            pending, self._pending = self._pending, []
            for write in pending:
                self._finish(write, None)

    def check_soon(self) -> None:
        """Check at once whether Redis still has what is registered."""
        self._check_now.set()

    # Sockets and open conversations

    async def enter(self, member: str) -> int | None:
        """Register a socket unless its person has too many; return how many they had, None if Redis is unreachable."""
        self.start()
        return await self._write("enter", "sockets", member)

    def add(self, kind: Kind, member: str) -> None:
        self._members[kind].add(member)
        self._write("add", kind, member)

    def remove(self, kind: Kind, member: str) -> "asyncio.Future[int | None]":
        self._members[kind].discard(member)
        return self._write("remove", kind, member)

    def _write(self, act: str, kind: Kind, member: str) -> "asyncio.Future[int | None]":
        write = Write(act, kind, member, asyncio.get_running_loop().create_future())
        if self._is_unreachable:
            self._finish(write, None)
        else:
            self._pending.append(write)
            if self._writing is None or self._writing.done():
                self._writing = self._background.run(self._write_pending())
        return write.done

    def _finish(self, write: Write, before: int | None) -> None:
        # Where nobody waits any more the socket has gone, and its removal is queued behind this.
        if write.done.done():
            return
        if write.act == "enter" and (before is None or before < SOCKETS_PER_PERSON):
            self._members["sockets"].add(write.member)
        write.done.set_result(before)

    # Redis

    async def _write_pending(self) -> None:
        while self._pending:
            async with self._lock:
                batch, self._pending = self._pending[:BATCH_LENGTH], self._pending[BATCH_LENGTH:]
                try:
                    answers = await self._write_batch(batch)
                except REDIS_ERRORS as error:
                    self._note_unreachable(error)
                    batch, self._pending = batch + self._pending, []
                    answers = [None] * len(batch)
                for write, before in zip(batch, answers, strict=True):
                    self._finish(write, before)

    async def _write_batch(self, batch: list[Write]) -> list[int | None]:
        arguments = [text for each in batch for text in (each.act, key_of(self.server, each.kind), each.member)]
        limits = [int(DEAD_AFTER * 1000), int(KEY_SECONDS * 1000), SOCKETS_PER_PERSON]
        answers = None
        while answers is None:
            if not self._is_complete:
                await self._send_heartbeat()
            answers = await self._eval(WRITE, 3, SERVERS, *self._keys, self.server, *limits, *arguments)
            self._is_complete = answers is not None
        return list(answers)

    @property
    def _keys(self) -> list[str]:
        return [key_of(self.server, kind) for kind in self._members]

    async def _eval(self, *call: Any) -> Any:
        async with asyncio.timeout(REDIS_TIMEOUT):
            return await get_channel_layer().redis().eval(*call)

    async def _send_heartbeats(self) -> None:
        while True:
            async with self._lock:
                try:
                    await self._send_heartbeat()
                except REDIS_ERRORS as error:
                    self._note_unreachable(error)
            with suppress(TimeoutError):
                pause = RETRY_SECONDS if self._is_unreachable else HEARTBEAT_SECONDS
                await asyncio.wait_for(self._check_now.wait(), pause)
            self._check_now.clear()

    async def _send_heartbeat(self) -> None:
        """Send a heartbeat; register everything again where Redis has lost some of it."""
        times = [int(seconds * 1000) for seconds in (DEAD_AFTER, KEY_SECONDS)]
        known, *sizes, servers = await self._eval(HEARTBEAT, 4, SERVERS, BEGAN, *self._keys, self.server, *times)
        if not (self._is_complete and known and sizes == [len(members) for members in self._members.values()]):
            await self._register_all()
        if self._is_unreachable:
            logger.warning("Redis is back; presence is registered again")
        self._is_unreachable, self._is_complete = False, True
        living = {server.decode() for server in servers}
        if self._living - living:
            self._on_vanished()
        self._living = living

    async def _register_all(self) -> None:
        async with asyncio.timeout(REDIS_TIMEOUT), get_channel_layer().redis().pipeline(transaction=True) as pipeline:
            for kind, members in self._members.items():
                key, sorted_members = key_of(self.server, kind), sorted(members)
                pipeline.delete(key)
                for first in range(0, len(sorted_members), BATCH_LENGTH):
                    pipeline.zadd(key, dict.fromkeys(sorted_members[first : first + BATCH_LENGTH], 0))
                pipeline.pexpire(key, int(KEY_SECONDS * 1000))
            await pipeline.execute()

    def _note_unreachable(self, error: BaseException) -> None:
        if not self._is_unreachable:
            logger.warning("Redis does not answer, presence is known to this process alone: %s", type(error).__name__)
        self._is_unreachable, self._is_complete = True, False
