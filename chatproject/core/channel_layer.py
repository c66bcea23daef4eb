"""The channel layer: Redis pub/sub through channels_redis, with what a busy server needs on top.

The stock layer takes a lock and a round trip for every publish and every subscription, and wakes ten times a second
to look for messages. Here publishes are queued, and one task for each host sends the whole queue as one command, in
order; many subscriptions are one command; receiving waits without polling, and reads everything that has arrived. A
process receives what it publishes itself at once, and not again when Redis sends it back.

This relies on private names of channels_redis and redis-py, which are pinned;
tests/chatproject/core/test_channel_layer.py notices when they change.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from channels_redis.utils import _wrap_close, create_pool, decode_hosts
from redis import asyncio as aioredis
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError

from chatproject.core.envelope import (
    ENVELOPE_BYTES,
    KNOWN,
    ignore_content,
    ignore_version,
    is_former,
    new_envelope,
)

logger = logging.getLogger(__name__)

PUBLISH_TIMEOUT = 2.0
BATCH_LENGTH = 500
PUBLISH = "for i, channel in ipairs(KEYS) do redis.call('PUBLISH', channel, ARGV[i]) end"
"""One command and one reply for many messages: one of each for every message costs more than all the rest."""


class Shard(RedisSingleShardConnection):  # type: ignore[misc]
    """One Redis host."""

    def __init__(self, host: dict[str, Any], channel_layer: Any) -> None:
        super().__init__(host, channel_layer)
        self._redis: aioredis.Redis | None = None
        self._pubsub: Any = None
        self._queue: list[tuple[str, bytes]] = []
        self._sending: asyncio.Task[None] | None = None

    def _ensure_redis(self) -> aioredis.Redis:
        if self._redis is None:
            # redis-py's own timeout is off, because it wraps every single reply in one; publishing has ours.
            self._redis = aioredis.Redis(connection_pool=create_pool({**self.host, "socket_timeout": None}))
            self._pubsub = self._redis.pubsub()
        return self._redis

    def enqueue(self, channel: str, message: bytes) -> "asyncio.Task[None]":
        """Append a message to the queue; the task that is returned ends when the whole queue is sent."""
        self._queue.append((channel, self.channel_layer.envelope + message))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_queue())
        return self._sending

    async def publish(self, channel: str, message: bytes) -> None:
        await asyncio.shield(self.enqueue(channel, message))

    async def _send_queue(self) -> None:
        while self._queue:
            batch, self._queue = self._queue[:BATCH_LENGTH], self._queue[BATCH_LENGTH:]
            try:
                async with asyncio.timeout(PUBLISH_TIMEOUT):
                    await self._send(batch)
            except (RedisError, OSError, TimeoutError):
                logger.warning("Redis took no messages; the reconciliation will find what was not received")
                self._queue.clear()
                self.channel_layer.on_lost()

    async def _send(self, batch: Sequence[tuple[str, bytes]]) -> None:
        channels, messages = zip(*batch, strict=True)
        await self._ensure_redis().eval(PUBLISH, len(batch), *channels, *messages)

    async def subscribe_many(self, channels: Iterable[str]) -> None:
        """Subscribe to many channels by one command."""
        async with self._lock:
            new = set(channels) - self._subscribed_to
            if new:
                self._ensure_redis()
                self._ensure_receiver()
                await self._pubsub.subscribe(*new)
                self._subscribed_to |= new

    async def _do_receiving(self) -> None:
        while True:
            try:
                if self._pubsub.subscribed:
                    self._receive_message(await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=None))
                    await self._receive_buffered()
                else:
                    await asyncio.sleep(0.05)
            except Exception as error:
                # Without this task nothing would be received any more, so it goes on whatever happens.
                if not isinstance(error, RedisError | OSError):
                    logger.exception("a message from Redis could not be read")
                self.channel_layer.on_lost()
                await asyncio.sleep(0.5)

    async def _receive_buffered(self) -> None:
        """Read what the parser has buffered, without the cost of redis-py's `get_message` for each message."""
        parser = self._pubsub.connection._parser
        while (reply := parser._reader.gets(False)) is not NOT_ENOUGH_DATA:
            if reply[0] == b"message":
                self.channel_layer.receive_from_redis(reply[1].decode(), reply[2])
            else:
                await self._pubsub.handle_message(reply, ignore_subscribe_messages=True)

    def _receive_message(self, message: Any) -> None:
        if message is not None:
            self.channel_layer.receive_from_redis(message["channel"].decode(), message["data"])

    async def flush(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
        await super().flush()


Listener = tuple[Callable[[Any], None], Callable[[bytes], Any]]
"""What is called with each event, as this process publishes it or once it is decoded, and what decodes those of others.

A plain tuple is unpacked in half the time of a named one, and this happens for every message.
"""


class LoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    """The layer of one event loop."""

    def __init__(self, hosts: Any = None, prefix: str = "parley.3", **kwargs: Any) -> None:
        addresses = decode_hosts(hosts)
        # Channels of pub/sub are shared by all databases of a Redis, so the name of each has to tell them apart.
        super().__init__(hosts=None, prefix=f"{prefix}.{_database_of(addresses[0])}", **kwargs)
        self._shards = [Shard(host, self) for host in addresses]
        self.envelope = new_envelope()
        """The prefix of the messages that this process publishes."""
        self.on_lost = lambda: None
        """Called whenever messages may have been lost on the way."""
        self._listeners: dict[str, Listener] = {}

    def redis(self) -> aioredis.Redis:
        """Return a client of the first host, for small queries from this loop."""
        client: aioredis.Redis = self._shards[0]._ensure_redis()
        return client

    async def group_send_many(self, posts: Sequence[tuple[str, Any]], *, wait: bool = False) -> None:
        """Send messages to groups, in order; return before they are sent unless asked to wait.

        An event loop that is about to end has to wait; one with listeners goes on and need not.
        """
        sending = set()
        for group, message in posts:
            name = self._get_group_channel_name(group)
            sending.add(self._get_shard(name).enqueue(name, self.channel_layer.serialize(message)))
            self._pass_to_listeners(name, message)
        if wait and sending and not self._listeners:
            await asyncio.wait(sending)

    def listen(self, receive: Callable[[Any], None], *, decode: Callable[[bytes], Any]) -> str:
        """Make a channel for groups alone, whose messages are passed to `receive` as they arrive; none is stored.

        `decode` reads what other processes have sent; `receive` is called with the very object that this one sends.
        """
        channel = f"{self.prefix}.listener.{uuid.uuid4().hex}"
        self._listeners[channel] = (receive, decode)
        return channel

    def receive_from_redis(self, name: str, data: bytes) -> None:
        """Pass a message on; listeners have received those of this process already."""
        is_ours = data.startswith(self.envelope)
        if not (is_ours or data.startswith(KNOWN) or is_former(data)):
            ignore_version(data)
            return
        for channel in (name,) if name in self.channels else self.groups.get(name, ()):
            if channel not in self._listeners:
                self.channels[channel].put_nowait(data[ENVELOPE_BYTES:])
            elif not is_ours:
                receive, decode = self._listeners[channel]
                try:
                    decoded = decode(data[ENVELOPE_BYTES:])
                except Exception as error:
                    # Nothing that another server sends may end the task that receives.
                    ignore_content(data[ENVELOPE_BYTES:], error)
                else:
                    receive(decoded)

    def _pass_to_listeners(self, name: str, message: Any) -> None:
        for channel in self.groups.get(name, ()):
            if channel in self._listeners:
                receive, _ = self._listeners[channel]
                receive(message)

    async def group_add_many(self, groups: Iterable[str], channel: str) -> None:
        """Add a channel to many groups at once."""
        by_shard: dict[Shard, list[str]] = {}
        for group in groups:
            name = self._get_group_channel_name(group)
            self.groups.setdefault(name, set()).add(channel)
            by_shard.setdefault(self._get_shard(name), []).append(name)
        for shard, names in by_shard.items():
            await shard.subscribe_many(names)


def _database_of(host: dict[str, Any]) -> int:
    number: int = parse_url(host["address"]).get("db", 0)
    return number


class ChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Django's `CHANNEL_LAYERS` backend: one `LoopLayer` for each running event loop."""

    _encoder = msgspec.msgpack.Encoder(uuid_format="bytes")

    def serialize(self, message: Any) -> bytes:
        """Write a message, a dict or a `msgspec.Struct`, as MessagePack."""
        return self._encoder.encode(message)

    def _get_layer(self) -> LoopLayer:
        loop = asyncio.get_running_loop()
        layer: LoopLayer | None = self._layers.get(loop)
        if layer is None:
            layer = self._layers[loop] = LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return layer
