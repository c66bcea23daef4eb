"""Servers of two releases: what one of them does not understand it ignores, counts and logs once, and goes on."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from channels.layers import get_channel_layer
from django.conf import settings

from chatproject.core import envelope, metrics
from chatproject.core.channel_layer import ChannelLayer
from chatproject.core.envelope import ENVELOPE_BYTES, KNOWN, MARK, VERSION, new_envelope
from chatproject.core.realtime import ConversationEvent, UserFrame, conversation_group
from messaging.realtime.hub import Hub
from messaging.receipts.events import Receipt

ID = UUID(int=7)
GROUP = conversation_group(ID)
EVENT = ConversationEvent(ID, 1, 1, b"{}")
encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
AS_ARRAY = ["conversation", ID.bytes, 1, 1, b"{}", None]
NEXT = MARK + bytes([VERSION + 1]) + b"other"


class Servers:
    """This server, whose hub understands what this release sends, and another one that sends what it likes."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self._last = ConversationEvent(ID, 99, 1, b"{}")
        self._is_over = asyncio.Event()
        self.here: Any = get_channel_layer()._get_layer()  # type: ignore[attr-defined]
        self.there: Any = ChannelLayer(hosts=[settings.REDIS_URL])._get_layer()
        self.there.envelope = b""

    async def connect(self) -> None:
        channel = self.here.listen(self._receive, decode=Hub()._decode)
        await self.here.group_add_many([GROUP], channel)
        async with asyncio.timeout(20):
            while not self.received:
                await self.send(new_envelope() + encode(EVENT))
                await asyncio.sleep(0.01)
        await self.heard()
        self.received.clear()
        self._is_over.clear()

    async def send(self, *messages: bytes) -> None:
        """Send bytes as they are."""
        name = self.here._get_group_channel_name(GROUP)
        for message in messages:
            await self.there._get_shard(name).publish(name, message)

    async def heard(self, *messages: bytes) -> list[Any]:
        """Send bytes, and return what this server has received when the message after them has arrived."""
        await self.send(*messages, new_envelope() + encode(self._last))
        async with asyncio.timeout(10):
            await self._is_over.wait()
        return self.received

    def _receive(self, event: Any) -> None:
        if event == self._last:
            self._is_over.set()
        else:
            self.received.append(event)


@pytest.fixture
async def servers(committed: None) -> AsyncIterator[Servers]:
    envelope._logged.clear()
    both = Servers()
    await both.connect()
    yield both
    await both.there.flush()


def ignored(reason: str) -> float:
    return metrics.IGNORED.labels(reason)._value.get()


async def test_what_this_release_sends_is_received(servers: Servers) -> None:
    assert await servers.heard(new_envelope() + encode(EVENT)) == [EVENT]


async def test_what_the_release_before_versions_sends_is_received(servers: Servers) -> None:
    assert await servers.heard(b"\x07" + os.urandom(ENVELOPE_BYTES - 1) + encode(EVENT)) == [EVENT]


def test_the_release_before_versions_finds_the_message_where_it_looks_for_it() -> None:
    assert len(new_envelope()) == ENVELOPE_BYTES == 8
    assert new_envelope() != new_envelope()


async def test_a_longer_event_of_the_next_release_is_received_without_its_end(servers: Servers) -> None:
    assert await servers.heard(new_envelope() + encode([*AS_ARRAY, "new", {"more": 1}])) == [EVENT]


async def test_an_older_event_without_what_was_added_since_is_received(servers: Servers) -> None:
    assert await servers.heard(new_envelope() + encode(AS_ARRAY[:5])) == [EVENT]


UNKNOWN = {
    "another version": ("version", NEXT + encode(EVENT)),
    "another version of another form": ("version", NEXT + b"\xff"),
    "no version": ("version", MARK),
    "nothing": ("version", b""),
    "an envelope alone": ("content", new_envelope()),
    "another kind": ("kind", new_envelope() + encode(["poll.closed", ID.bytes])),
    "another type": ("content", new_envelope() + encode(["conversation", "seven", 1, 1, b""])),
    "too little": ("content", new_envelope() + encode(["conversation"])),
    "no array": ("content", new_envelope() + encode({"type": "conversation"})),
    "half of it": ("content", new_envelope() + encode(EVENT)[:-1]),
    "something that is not MessagePack": ("content", new_envelope() + b"\xc1\xc1"),
    "something very deep": ("kind", new_envelope() + b"\x91" * 100_000),
    "something very deep in an event": ("content", new_envelope() + encode(EVENT)[:-1] + b"\x91" * 100_000),
    "a former release's nonsense": ("content", b"former!!" + b"\xff"),
}


@pytest.fixture
def _limit_of_a_server() -> Iterator[None]:
    """Python's own limit of recursion, which other tests raise, and then what decodes would crash."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("_limit_of_a_server")
@pytest.mark.parametrize(("reason", "message"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_is_not_understood_is_ignored_and_counted_and_logged_once(
    servers: Servers, caplog: pytest.LogCaptureFixture, reason: str, message: bytes
) -> None:
    before = ignored(reason)
    assert await servers.heard(*[message] * 3, new_envelope() + encode(EVENT)) == [EVENT]
    assert ignored(reason) == before + 3
    assert len([record for record in caplog.records if "are ignored for their" in record.message]) == 1


async def test_the_log_names_the_kind_that_is_unknown_and_no_content(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    await servers.heard(
        new_envelope() + encode(["poll.closed", "secret"]), new_envelope() + encode(["frame", "secret"])
    )
    assert "ignored for their kind: poll.closed" in caplog.text
    assert "ignored for their content: frame" in caplog.text
    assert "secret" not in caplog.text


async def test_however_many_kinds_there_are_the_log_stays_short(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    await servers.heard(*(new_envelope() + encode([f"kind {n}"]) for n in range(300)))
    assert len(caplog.records) == envelope.LOGGED_AT_MOST


FIELDS = {
    "conversation": ("conversation_id", "version", "epoch", "frame", "since"),
    "receipts": ("conversation_id", "epoch", "receipts", "recipients"),
    "user": ("user_id", "version"),
    "settings": ("user_id", "version", "conversation_ids"),
    "frame": ("user_id", "frame"),
    "disconnect": ("user_id",),
    "announcement": ("frame", "conversation_id"),
    "presence": ("user_id",),
    "typing": ("conversation_id", "user_id", "epoch", "starts"),
}
RECEIPT_FIELDS = ("user_id", "delivered", "read", "has_more")
"""What every release sends; what is added goes to the end, and has a default."""


def test_events_keep_their_fields_for_servers_of_the_release_before() -> None:
    kinds = {kind.__struct_config__.tag: kind for kind in Hub()._handlers}
    assert kinds.keys() >= FIELDS.keys()
    for tag, fields in FIELDS.items():
        first, added = kinds[tag].__struct_fields__[: len(fields)], kinds[tag].__struct_fields__[len(fields) :]
        assert first == fields, f"the fields of {tag} have another order"
        assert len(added) <= len(kinds[tag].__struct_defaults__), f"a field was added to {tag} without a default"
    assert Receipt._fields == RECEIPT_FIELDS, "a receipt stays as it is: add a field to the event"


async def test_a_frame_of_a_person_goes_the_same_way(servers: Servers) -> None:
    event = UserFrame(ID, b"{}")
    assert await servers.heard(new_envelope() + encode(event)) == [event]
    assert new_envelope().startswith(KNOWN)
