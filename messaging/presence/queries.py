"""Who is connected, to which server, looking at what: the keys in Redis, and the questions about all servers.

What a server knows lies in keys of that server alone, which vanish soon after its last beat. So a killed one leaves no
ghosts behind, and nobody cleans up after it. Members of a key are sorted by their text: what begins alike is one range.

* `presence:servers`: each server by the time of its last beat, in milliseconds of Redis' own clock.
* `presence:<server>:sockets`: `<user>:<socket>:<session>:<since>`, the last in milliseconds.
* `presence:<server>:open`: `c:<conversation>:<user>:<socket>` and `u:<user>:<conversation>:<socket>`.
* `presence:began`: since when there have been such keys; younger ones may not be complete.
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
from conversations.presence_privacy import last_seen
from messaging.presence.events import PresenceJSON, presence_json

Kind = Literal["sockets", "open"]

SERVERS, BEGAN = "presence:servers", "presence:began"
DEAD_AFTER = 30.0
"""Seconds without a beat after which a server counts as gone."""
PATIENCE = 1.0
MOST_FOUND = 1000

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
    """For each beginning of a member what was found, with its server; `age` in seconds, how long the keys are there."""

    age: float
    there: list[list[tuple[str, str]]]


def key_of(server: str, kind: Kind) -> str:
    return f"presence:{server}:{kind}"


def socket_member(user_id: UUID, socket: str, session_id: UUID, since: int) -> str:
    return f"{user_id.hex}:{socket}:{session_id.hex}:{since}"


def open_members(conversation_id: UUID, user_id: UUID, socket: str) -> tuple[str, str]:
    """The two members of an open conversation, so that it is found from either side."""
    return f"c:{conversation_id.hex}:{user_id.hex}:{socket}", f"u:{user_id.hex}:{conversation_id.hex}:{socket}"


def show_presence(*, by: User, other_id: UUID) -> PresenceJSON:
    """Show whether someone is here, and when they last were; User.DoesNotExist if that is not to be seen."""
    moment = last_seen(by=by, other_id=other_id)
    try:
        return presence_json(online=is_online(other_id), last_seen=moment)
    except RedisError as error:
        raise Unavailable("Nobody can tell who is here just now. Please try again.") from error


# Questions, for code that may wait in a thread. RedisError where Redis does not answer.


def living_servers() -> list[str]:
    """The servers that beat."""
    seconds, microseconds = redis().time()
    now = seconds * 1000 + microseconds // 1000
    living: Any = redis().zrangebyscore(SERVERS, now - DEAD_AFTER * 1000, "+inf")
    return [server.decode() for server in living]


def is_online(user_id: UUID) -> bool:
    """Tell whether someone has a socket on any server."""
    return bool(find("sockets", [user_id.hex], most=1).there[0])


def servers_of(user_id: UUID) -> set[str]:
    """The servers that someone is connected to."""
    return {server for server, _ in find("sockets", [user_id.hex]).there[0]}


def opened_by(user_id: UUID) -> set[UUID]:
    """The conversations that someone has open on any device."""
    return {UUID(member.split(":")[2]) for _, member in find("open", [f"u:{user_id.hex}"]).there[0]}


def viewers_of(conversation_id: UUID) -> set[UUID]:
    """Those who have a conversation open."""
    return {UUID(member.split(":")[2]) for _, member in find("open", [f"c:{conversation_id.hex}"]).there[0]}


def find(kind: Kind, beginnings: Iterable[str], *, most: int = MOST_FOUND) -> Found:
    """Find the members that begin so on all living servers, at most so many on each."""
    return _answer(redis().eval(*_question(kind, beginnings, most)))


async def find_soon(kind: Kind, beginnings: Sequence[str], *, most: int = MOST_FOUND) -> Found:
    """As `find`, for code that must not wait in a thread."""
    async with asyncio.timeout(PATIENCE):
        return _answer(await get_channel_layer().redis().eval(*_question(kind, beginnings, most)))


def _question(kind: Kind, beginnings: Iterable[str], most: int) -> list[Any]:
    return [FIND, 2, SERVERS, BEGAN, int(DEAD_AFTER * 1000), kind, most, *beginnings]


def _answer(reply: Any) -> Found:
    age, found = reply
    words = [[word.decode() for word in there] for there in found]
    return Found(int(age) / 1000, [list(zip(there[::2], there[1::2], strict=True)) for there in words])
