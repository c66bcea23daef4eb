"""Redis pub/sub as Channels knows it, with what a busy server needs on top.

The stock layer takes a lock and a round trip for every publish and every subscription, and wakes ten times a second
to look for messages. Here publishes queue up and one flusher a host sends what has gathered as one pipeline, in order;
many subscriptions are one command; receiving simply waits. It rests on private names of channels_redis, which is
pinned; tests/messaging/test_layer.py holds them.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from channels_redis.utils import _wrap_close, create_pool, decode_hosts
from redis import asyncio as aioredis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PUBLISH_TIMEOUT = 5.0
PIPELINE_LENGTH = 500


class Shard(RedisSingleShardConnection):  # type: ignore[misc]
    """One Redis host."""

    def __init__(self, host: dict[str, Any], channel_layer: Any) -> None:
        super().__init__(host, channel_layer)
        self._redis: aioredis.Redis | None = None
        self._pubsub: Any = None
        self._outgoing: list[tuple[str, bytes]] = []
        self._flushing: asyncio.Task[None] | None = None

    def _ensure_redis(self) -> aioredis.Redis:
        if self._redis is None:
            # Without a timeout of redis-py's own: it wraps every single reply in one. The pipeline has ours.
            self._redis = aioredis.Redis(connection_pool=create_pool({**self.host, "socket_timeout": None}))
            self._pubsub = self._redis.pubsub()
        return self._redis

    def enqueue(self, channel: str, message: bytes) -> "asyncio.Task[None]":
        """Put a message behind those before it; the task ends when all of them are sent."""
        self._outgoing.append((channel, message))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.ensure_future(self._send_gathered())
        return self._flushing

    async def publish(self, channel: str, message: bytes) -> None:
        await asyncio.shield(self.enqueue(channel, message))

    async def _send_gathered(self) -> None:
        while self._outgoing:
            batch, self._outgoing = self._outgoing[:PIPELINE_LENGTH], self._outgoing[PIPELINE_LENGTH:]
            try:
                await asyncio.wait_for(self._send(batch), PUBLISH_TIMEOUT)
            except (RedisError, OSError, TimeoutError):
                logger.warning("Redis took no messages; the audit will mend what was not heard")
                self._outgoing.clear()
                self.channel_layer.on_lost()

    async def _send(self, batch: Sequence[tuple[str, bytes]]) -> None:
        async with self._ensure_redis().pipeline(transaction=False) as pipeline:
            for channel, message in batch:
                pipeline.publish(channel, message)
            await pipeline.execute()

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
                else:
                    await asyncio.sleep(0.05)
            except (RedisError, OSError):
                self.channel_layer.on_lost()
                await asyncio.sleep(0.5)

    async def flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
        await super().flush()


class LoopLayer(RedisPubSubLoopLayer):  # type: ignore[misc]
    """The layer as one event loop sees it."""

    def __init__(self, hosts: Any = None, prefix: str = "parley", **kwargs: Any) -> None:
        super().__init__(hosts=None, prefix=prefix, **kwargs)
        self._shards = [Shard(host, self) for host in decode_hosts(hosts)]
        self.on_lost = lambda: None
        """Called whenever messages may have been lost on the way."""

    def redis(self) -> aioredis.Redis:
        """A client of the first host, for small questions from this loop."""
        client: aioredis.Redis = self._shards[0]._ensure_redis()
        return client

    async def group_send_many(self, posts: Sequence[tuple[str, Any]], *, wait: bool = False) -> None:
        """Send messages to groups, in order; return before they have left, unless told to wait."""
        flushing = set()
        for group, message in posts:
            name = self._get_group_channel_name(group)
            flushing.add(self._get_shard(name).enqueue(name, self.channel_layer.serialize(message)))
        if wait and flushing:
            await asyncio.wait(flushing)

    async def group_add_many(self, groups: Iterable[str], channel: str) -> None:
        """Add a channel to many groups at once."""
        by_shard: dict[Shard, list[str]] = {}
        for group in groups:
            name = self._get_group_channel_name(group)
            self.groups.setdefault(name, set()).add(channel)
            by_shard.setdefault(self._get_shard(name), []).append(name)
        for shard, names in by_shard.items():
            await shard.subscribe_many(names)


class ChannelLayer(RedisPubSubChannelLayer):  # type: ignore[misc]
    """Django's `CHANNEL_LAYERS` backend: one `LoopLayer` for each running event loop."""

    def _get_layer(self) -> LoopLayer:
        loop = asyncio.get_running_loop()
        layer: LoopLayer | None = self._layers.get(loop)
        if layer is None:
            layer = self._layers[loop] = LoopLayer(*self._args, **self._kwargs, channel_layer=self)
            _wrap_close(self, loop)
        return layer
