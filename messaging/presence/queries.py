"""Who is connected, to which server, viewing which conversation: the keys in Redis, and the queries over all servers.

What a server knows is in keys of that server alone, which expire soon after its last heartbeat. So the sockets of a
killed server disappear without anyone cleaning up. The members of a key are sorted by their text, so that members with
the same prefix are one range.

* `presence:servers`: each server by the time of its last heartbeat, in milliseconds of Redis' own clock.
* `presence:<server>:sockets`: `<user>:<socket>:<session>:<since>`, the last in milliseconds.
* `presence:<server>:open`: `c:<conversation>:<user>:<socket>` and `u:<user>:<conversation>:<socket>`.
* `presence:began`: since when there have been such keys; the registry may be incomplete for a while after that.

Servers of two releases share these keys during an update: what a later release adds stands at the end of a member, and
members of another form are passed over.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from accounts.models import User
from chatproject.core.errors import Unavailable
from chatproject.core.redis import redis
from conversations.last_seen_privacy import last_seen_of
from messaging.presence.events import PresenceJSON, presence_json
from messaging.presence.server_heartbeat import DEAD_AFTER

Kind = Literal["sockets", "open"]

SERVERS, BEGAN = "presence:servers", "presence:began"
REDIS_TIMEOUT = 1.0
FIND_MOST = 1000

FIND = """
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local living = redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')
local found = {}
for i = 4, #ARGV do
    local there = {}
    for _, server in ipairs(living) do
        local key, first, last = 'presence:' .. server .. ':' .. ARGV[2], '[' .. ARGV[i] .. ':', '(' .. ARGV[i] .. ';'
        for _, member in ipairs(redis.call('ZRANGEBYLEX', key, first, last, 'LIMIT', 0, ARGV[3])) do
            there[#there + 1] = server
            there[#there + 1] = member
        end
    end
    found[#found + 1] = there
end
return {now - tonumber(redis.call('GET', KEYS[2]) or now), found}
"""


class Found(NamedTuple):
    """The members found for each prefix, each with its server; `age` is for how many seconds there have been keys."""

    age: float
    members: list[list[tuple[str, str]]]


def key_of(server: str, kind: Kind) -> str:
    return f"presence:{server}:{kind}"


def socket_member(user_id: UUID, socket: str, session_id: UUID, since: int) -> str:
    return f"{user_id.hex}:{socket}:{session_id.hex}:{since}"


def open_members(conversation_id: UUID, user_id: UUID, socket: str) -> tuple[str, str]:
    """Name the two members of an open conversation, so that it is found by the conversation and by the person."""
    return f"c:{conversation_id.hex}:{user_id.hex}:{socket}", f"u:{user_id.hex}:{conversation_id.hex}:{socket}"


def show_presence(*, by: User, other_id: UUID) -> PresenceJSON:
    """Show whether someone is online, and when they last were; User.DoesNotExist if `by` may not see it."""
    moment = last_seen_of(by=by, other_id=other_id)
    try:
        return presence_json(online=is_online(other_id), last_seen=moment)
    except RedisError as error:
        raise Unavailable("We can't tell who is online just now. Please try again.") from error


# Queries for code that may block a thread. They raise RedisError where Redis does not answer.


def living_servers() -> list[str]:
    """List the servers whose heartbeat is recent."""
    seconds, microseconds = redis().time()
    now = seconds * 1000 + microseconds // 1000
    living: Any = redis().zrangebyscore(SERVERS, now - DEAD_AFTER * 1000, "+inf")
    return [server.decode() for server in living]


def is_online(user_id: UUID) -> bool:
    """Tell whether someone has a socket on any server."""
    return bool(find("sockets", [user_id.hex], most=1).members[0])


def servers_of(user_id: UUID) -> set[str]:
    """List the servers that someone is connected to."""
    return {server for server, _ in find("sockets", [user_id.hex]).members[0]}


def viewers_of(conversation_id: UUID) -> set[UUID]:
    """List the people who have a conversation open."""
    found = find("open", [f"c:{conversation_id.hex}"]).members[0]
    return {id for _, member in found if (id := _person_of(member)) is not None}


def _person_of(member: str) -> UUID | None:
    """Return who has the conversation of a member open; None if another release writes it in another form."""
    try:
        return UUID(member.split(":")[2])
    except (IndexError, ValueError):
        return None


def find(kind: Kind, prefixes: Iterable[str], *, most: int = FIND_MOST) -> Found:
    """Find the members with each of these prefixes on all living servers, at most `most` on each server."""
    return _parse(redis().eval(*_find_arguments(kind, prefixes, most)))


async def find_soon(kind: Kind, prefixes: Sequence[str], *, most: int = FIND_MOST) -> Found:
    """Do the same as `find` in a coroutine."""
    async with asyncio.timeout(REDIS_TIMEOUT):
        return _parse(await get_channel_layer().redis().eval(*_find_arguments(kind, prefixes, most)))


def _find_arguments(kind: Kind, prefixes: Iterable[str], most: int) -> list[Any]:
    return [FIND, 2, SERVERS, BEGAN, int(DEAD_AFTER * 1000), kind, most, *prefixes]


def _parse(reply: Any) -> Found:
    age, found = reply
    texts = [[text.decode() for text in each] for each in found]
    return Found(int(age) / 1000, [list(zip(each[::2], each[1::2], strict=True)) for each in texts])
