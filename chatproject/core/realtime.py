"""Publishing: what has happened is published on commit, to the hubs of all server processes that it concerns.

Two kinds of events: an `Event` is what a client receives, as the contract shows it; a `HubEvent` is what servers send
each other, and carries the ready frame of an `Event` where there is one. What is published is a hint; the database is
the truth. A publish that fails is logged, and the reconciliation of every hub finds what was lost.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import orjson
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from chatproject.core.database import without_connection

logger = logging.getLogger(__name__)


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
"""The group that every server process with a socket is subscribed to."""


def conversation_group(conversation_id: UUID) -> str:
    return f"conversation.{conversation_id.hex}"


def user_group(user_id: UUID) -> str:
    return f"user.{user_id.hex}"


class HubEvent(msgspec.Struct, frozen=True, array_like=True):
    """What one server process publishes for the hubs of all.

    A subclass lives in the room that publishes it, and has a `tag` of its own, which must stay: servers of two releases
    may run side by side. The hub has a table of them (`messaging.realtime.hub`), each with its handler. On the wire it
    is a MessagePack array, the tag first; a field that is added goes to the end and has a default. Servers of the
    former release ignore a new tag and what is longer; `VERSION` in `chatproject/core/envelope.py` is for a change that
    they would misread.
    """

    @property
    def group(self) -> str:
        """Where it is published."""
        raise NotImplementedError


class ConversationEvent(HubEvent, frozen=True, tag="conversation"):
    """A frame for everyone in a conversation, at its place in the order of the conversation's versions."""

    conversation_id: UUID
    version: int
    epoch: int
    frame: bytes
    since: int | None = None
    """The position of the older message that it is about: members who do not see that one must not receive this."""

    @property
    def group(self) -> str:
        return conversation_group(self.conversation_id)


class UserFrame(HubEvent, frozen=True, tag="frame"):
    """A frame for all sockets of a person, outside any order."""

    user_id: UUID
    frame: bytes

    @property
    def group(self) -> str:
        return user_group(self.user_id)


def publish(events: Sequence[HubEvent]) -> None:
    """Publish events, in order, from synchronous code after its commit."""
    with without_connection():
        async_to_sync(publish_soon)(events, wait=True)


async def publish_soon(events: Sequence[HubEvent], *, wait: bool = False) -> None:
    """Publish events, in order; return before they are sent unless asked to wait."""
    try:
        addressed = [(event.group, event) for event in events]
        await get_channel_layer().group_send_many(addressed, wait=wait)
    except Exception:
        logger.exception("publishing failed; the reconciliation will find what was not received")
