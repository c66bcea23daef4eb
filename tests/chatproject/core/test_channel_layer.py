"""The channel layer on a real Redis, and the private names of channels_redis that it relies on."""

import asyncio
import inspect
from importlib.metadata import version
from typing import Any

import channels_redis.pubsub
import channels_redis.utils
import msgspec
import pytest
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from django.conf import settings
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import Redis

from chatproject.core.channel_layer import ChannelLayer

GROUP = "conversation.0"


@pytest.fixture
async def layer(committed: None) -> Any:
    """The layer as the hub sees it."""
    whole = get_channel_layer()
    assert isinstance(whole, ChannelLayer)
    return whole._get_layer()


async def heard(layer: Any, inbox: str, count: int) -> list[Any]:
    async with asyncio.timeout(20):
        return [await layer.receive(inbox) for _ in range(count)]


async def subscribed(layer: Any, inbox: str, groups: list[str]) -> None:
    """Wait until Redis has subscribed: a message to each group arrives."""
    await layer.group_add_many(groups, inbox)
    missing = set(groups)
    async with asyncio.timeout(20):
        while missing:
            await layer.group_send_many([(group, {"ready": group}) for group in missing], wait=True)
            await asyncio.sleep(0.02)
            while not layer.channels[inbox].empty():
                missing.discard((await layer.receive(inbox))["ready"])


async def test_many_publishes_of_many_tasks_keep_their_order(layer: Any) -> None:
    inbox = await layer.new_channel()
    await subscribed(layer, inbox, [GROUP])
    numbers = iter(range(2000))

    async def publish() -> None:
        for number in numbers:
            await layer.group_send_many([(GROUP, {"n": number})], wait=number % 7 == 0)

    await asyncio.gather(*(publish() for _ in range(10)))
    assert [message["n"] for message in await heard(layer, inbox, 2000)] == [*range(2000)]


async def test_a_single_send_keeps_its_place_among_many(layer: Any) -> None:
    inbox = await layer.new_channel()
    await subscribed(layer, inbox, [GROUP])
    await layer.group_send_many([(GROUP, {"n": n}) for n in range(1200)])
    await layer.group_send(GROUP, {"n": 1200})
    assert [message["n"] for message in await heard(layer, inbox, 1201)] == [*range(1201)]


@pytest.mark.alone
async def test_many_groups_are_joined_by_one_command_and_receive_their_events(layer: Any) -> None:
    inbox, groups = await layer.new_channel(), [f"conversation.{n}" for n in range(500)]
    redis = Redis.from_url(settings.REDIS_URL)
    before = await _subscriptions(redis)
    await subscribed(layer, inbox, groups)
    assert await _subscriptions(redis) == before + 1
    await layer.group_send_many([(group, {"group": group}) for group in groups])
    assert [message["group"] for message in await heard(layer, inbox, 500)] == groups
    await redis.aclose()


async def _subscriptions(redis: Any) -> int:
    known = await redis.info("commandstats")
    return int(known.get("cmdstat_subscribe", {"calls": 0})["calls"])


async def test_a_channel_that_left_a_group_receives_nothing_from_it(layer: Any) -> None:
    inbox = await layer.new_channel()
    await subscribed(layer, inbox, ["conversation.1", "conversation.2"])
    await layer.group_discard("conversation.1", inbox)
    await layer.group_send_many([("conversation.1", {"n": 1}), ("conversation.2", {"n": 2})])
    assert await heard(layer, inbox, 1) == [{"n": 2}]


async def test_a_listener_receives_events_of_its_own_process_at_once_and_only_once(layer: Any) -> None:
    told: list[Any] = []
    await layer.group_add_many([GROUP], layer.listen(told.append, decode=msgspec.msgpack.decode))
    await layer.group_send_many([(GROUP, {"n": n}) for n in range(3)])
    assert told == [{"n": 0}, {"n": 1}, {"n": 2}]
    await layer.group_send_many([(GROUP, {"n": 3})], wait=True)
    await asyncio.sleep(0.1)
    assert told == [{"n": 0}, {"n": 1}, {"n": 2}, {"n": 3}]


async def test_a_listener_receives_events_of_other_processes_in_order(layer: Any) -> None:
    told, all_told = [], asyncio.Event()

    def hear(message: Any) -> None:
        told.append(message["n"])
        if len(told) == 1200:
            all_told.set()

    await subscribed(layer, await layer.new_channel(), [GROUP])
    await layer.group_add_many([GROUP], layer.listen(hear, decode=msgspec.msgpack.decode))
    other = ChannelLayer(hosts=[settings.REDIS_URL])._get_layer()
    await other.group_send_many([(GROUP, {"n": n}) for n in range(1200)])
    async with asyncio.timeout(20):
        await all_told.wait()
    assert told == [*range(1200)]
    await other.flush()


async def test_installations_in_two_databases_of_one_redis_receive_nothing_of_each_other(layer: Any) -> None:
    inbox = await layer.new_channel()
    await subscribed(layer, inbox, [GROUP])
    url = settings.REDIS_URL.partition("?")[0]
    other = ChannelLayer(hosts=[f"{url}?db=15"])._get_layer()
    await other.group_send_many([(GROUP, {"n": 1})], wait=True)
    await layer.group_send_many([(GROUP, {"n": 2})], wait=True)
    assert await heard(layer, inbox, 1) == [{"n": 2}]
    await other.flush()


async def test_several_hosts_share_the_groups_and_every_group_is_heard(layer: Any) -> None:
    hosts = [settings.REDIS_URL] * 2
    here, there = (ChannelLayer(hosts=hosts)._get_layer() for _ in range(2))
    inbox, groups = await here.new_channel(), [f"conversation.{n}" for n in range(40)]
    await subscribed(here, inbox, groups)
    shards = [there._get_shard(there._get_group_channel_name(group)) for group in groups]
    assert {*map(shards.count, there._shards)} != {0, 40}
    await there.group_send_many([(group, {"group": group}) for group in groups])
    assert {message["group"] for message in await heard(here, inbox, 40)} == {*groups}
    for each in (here, there):
        await each.flush()


@pytest.mark.alone
async def test_when_redis_closes_the_connection_the_layer_reports_it_and_subscribes_again(layer: Any) -> None:
    inbox, lost = await layer.new_channel(), asyncio.Event()
    await subscribed(layer, inbox, [GROUP])
    layer.on_lost = lost.set
    redis = Redis.from_url(settings.REDIS_URL)
    await redis.client_kill_filter(_type="pubsub")
    async with asyncio.timeout(20):
        await lost.wait()
        await subscribed(layer, inbox, [GROUP])
    await redis.aclose()


async def test_without_redis_publishing_does_not_fail_but_reports_that_something_was_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nowhere = ChannelLayer(hosts=["unix:///nowhere/redis.sock"])
    lost = asyncio.Event()
    nowhere._get_layer().on_lost = lost.set
    await nowhere.group_send_many([(GROUP, {"n": 1})], wait=True)
    assert lost.is_set()
    assert "the reconciliation will find" in caplog.text


# Private names of channels_redis, which may change with every release


def test_channels_redis_is_the_release_that_was_tried() -> None:
    assert version("channels_redis") == "4.3.0"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (RedisSingleShardConnection, "_ensure_redis _ensure_receiver _do_receiving _receive_message flush publish"),
        (RedisPubSubLoopLayer, "_get_group_channel_name _get_shard new_channel receive group_add group_discard"),
        (RedisPubSubChannelLayer, "_get_layer serialize deserialize"),
    ],
)
def test_the_private_names_are_there(kind: type, names: str) -> None:
    assert [name for name in names.split() if not callable(getattr(kind, name, None))] == []


def test_the_private_helpers_take_what_they_are_given() -> None:
    helpers = channels_redis.utils
    assert [*inspect.signature(helpers._wrap_close).parameters] == ["proxy", "loop"]
    assert [*inspect.signature(helpers.create_pool).parameters] == ["host"]
    assert helpers.decode_hosts(["redis://localhost"]) == [{"address": "redis://localhost"}]


async def test_the_private_attributes_are_there() -> None:
    whole = RedisPubSubChannelLayer(hosts=["redis://localhost"])
    stock = RedisPubSubLoopLayer(hosts=["redis://localhost"], channel_layer=whole)
    attributes = {whole: "_args _kwargs _layers", stock: "channels groups prefix channel_layer _shards"}
    attributes[stock._shards[0]] = "host channel_layer _subscribed_to _lock _redis _pubsub _receive_task"
    for it, names in attributes.items():
        assert [name for name in names.split() if not hasattr(it, name)] == []


async def test_the_parser_hands_out_what_it_holds(layer: Any) -> None:
    await subscribed(layer, await layer.new_channel(), [GROUP])
    parser = layer._shards[0]._pubsub.connection._parser
    assert parser._reader.gets(False) is NOT_ENOUGH_DATA
