"""The one way out to the wire: what has happened, told on commit to the people it concerns.

What is told is a hint; the database is the truth. A publish that fails is logged and mended by every hub's audit.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, NotRequired, TypedDict
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from chatproject.core.database import without_connection

logger = logging.getLogger(__name__)


class Envelope(TypedDict):
    """What travels from server to server: where a frame belongs in the order of its conversation or person.

    `since` is the position of the older message that it is about: who does not see that one must not hear of it.
    What is told of `presence` and typing has no place in any order.
    `settled` are the conversations about which a person's own version says something new, where it is about nothing
    else. `receipts` have no place in any order; `hearers` are those who hear of them, where that is not everyone.
    An `announcement` is a frame for everyone, or for all of a conversation; one that `disconnects` ends the sockets
    that a person has at this moment. A person's `frame` is for all of their sockets, outside any order.
    """

    conversation: NotRequired[bytes]
    user: NotRequired[bytes]
    presence: NotRequired[bytes]
    typist: NotRequired[bytes]
    starts: NotRequired[bool]
    version: NotRequired[int]
    epoch: NotRequired[int]
    since: NotRequired[int]
    frame: NotRequired[bytes]
    settled: NotRequired[list[bytes]]
    receipts: NotRequired[list[list[Any]]]
    hearers: NotRequired[list[bytes]]
    announcement: NotRequired[bytes]
    disconnects: NotRequired[bool]


Post = tuple[str, Envelope]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened, in the past tense; `type` is its name on the wire."""

    type: ClassVar[str]
    __match_args__: ClassVar[tuple[str, ...]]
    """The names of its fields, which every dataclass knows."""

    def data(self) -> dict[str, Any]:
        """The event's fields as the contract shows them."""
        return {name: getattr(self, name) for name in self.__match_args__}

    def frame(self) -> bytes:
        """The event as one text frame, encoded once for everyone who hears it."""
        return encode({"type": self.type, "data": self.data()})


def encode(frame: dict[str, Any]) -> bytes:
    """Write a frame as JSON text."""
    return orjson.dumps(frame)


def timestamp(moment: datetime) -> str:
    """Write a time as RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def timestamp_of(milliseconds: int) -> str:
    """Write a time in milliseconds since 1970 in the same way."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")


EVERYONE = "everyone"
"""The group that every server with a socket listens to."""


def conversation_group(conversation_id: UUID) -> str:
    return f"conversation.{conversation_id.hex}"


def user_group(user_id: UUID) -> str:
    return f"user.{user_id.hex}"


def publish(posts: Sequence[Post]) -> None:
    """Hand envelopes to the layer, in order, from synchronous code after its commit."""
    with without_connection():
        async_to_sync(publish_soon)(posts, wait=True)


async def publish_soon(posts: Sequence[Post], *, wait: bool = False) -> None:
    """Hand envelopes to the layer, in order; return before they are sent unless told to wait."""
    try:
        await get_channel_layer().group_send_many(posts, wait=wait)
    except Exception:
        logger.exception("publishing failed; the audit will find what was not heard")
