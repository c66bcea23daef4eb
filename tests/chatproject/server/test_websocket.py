"""Frames are received and sent correctly, however they are split on the way."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import pairwise
from urllib.parse import urlsplit

import psutil
import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from chatproject.server.connection import framed
from chatproject.server.websocket import CONTROLS_MOST
from tests.support.server import Server

BIG = 70_000


@pytest.fixture
async def wire(server: Server, access: Callable[[User], str], alice: User) -> AsyncIterator["Wire"]:
    """A bare connection of alice's device."""
    opened = await Wire.open(server.url, await sync_to_async(access)(alice))
    yield opened
    opened.writer.close()
    with suppress(ConnectionError):
        await opened.writer.wait_closed()


class Wire:
    """A WebSocket by hand: what is written on it is what was asked for, frame or not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, url: str, token: str) -> "Wire":
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        lines = ["GET /ws/chat HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
        writer.write("\r\n".join([*lines, f"Authorization: Bearer {token}", "", ""]).encode())
        await reader.readuntil(b"\r\n\r\n")
        wire = cls(reader, writer)
        assert (await wire.next())["type"] == "connected"
        return wire

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame: its first byte and what it holds."""
        first, length = await self.reader.readexactly(2)
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        return first, await self.reader.readexactly(length)

    async def next(self, *, besides: int | None = None) -> dict:
        """Read one text frame, and pass over those with another first byte."""
        async with asyncio.timeout(20):
            first, payload = await self.frame()
            while first == besides:
                first, payload = await self.frame()
        assert first == 0x81, (first, payload)
        return json.loads(payload)

    async def closed(self) -> int:
        async with asyncio.timeout(20):
            while True:
                first, payload = await self.frame()
                if first == 0x88:
                    return int.from_bytes(payload[:2], "big")


def ping(ref: str) -> bytes:
    return json.dumps({"type": "ping", "ref": ref}).encode()


def masked(payload: bytes, *, first: int = 0x81) -> bytes:
    """Write a frame as a client does."""
    mask, length = os.urandom(4), len(payload)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 65536:
        head = bytes((first, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0xFF)) + length.to_bytes(8, "big")
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))


async def test_frames_may_be_split_and_joined_anywhere(wire: Wire) -> None:
    refs = [str(n) * random.choice([1, 3, 30]) for n in range(60)]
    stream = b"".join(masked(ping(ref) + b" " * random.choice([0, 90, 120, 300])) for ref in refs)
    cuts = [0, *sorted(random.sample(range(1, len(stream)), 80)), len(stream)]
    for start, end in pairwise(cuts):
        wire.writer.write(stream[start:end])
        await asyncio.sleep(random.choice([0, 0.002]))
    assert [(await wire.next())["ref"] for _ in refs] == refs


async def test_control_frames_and_fragments_are_handled_in_order(wire: Wire) -> None:
    half = len(ping("2")) // 2
    parts = [masked(ping("2")[:half], first=0x01), masked(b"alive?", first=0x89), masked(ping("2")[half:], first=0x80)]
    wire.writer.write(masked(ping("1")) + b"".join(parts) + masked(ping("3")))
    async with asyncio.timeout(20):
        frames = [await wire.frame() for _ in range(4)]
    assert (0x8A, b"alive?") in frames
    assert [json.loads(payload)["ref"] for first, payload in frames if first == 0x81] == ["1", "2", "3"]


async def test_a_frame_that_is_not_masked_ends_the_connection(wire: Wire) -> None:
    wire.writer.write(framed(ping("1")) + b" " * 20)
    assert await wire.closed() == 1002


async def test_invalid_utf8_closes_with_1007(wire: Wire) -> None:
    wire.writer.write(masked(b'{"type":"ping","ref":"\xff"}'))
    assert await wire.closed() == 1007


async def test_long_frames_are_received_and_more_than_a_mebibyte_closes_with_1009(wire: Wire) -> None:
    wire.writer.write(masked(b" " * BIG))
    assert (await wire.next())["data"]["code"] == "too_large"
    wire.writer.write(masked(b" " * (1024 * 1024 + 1)))
    assert await wire.closed() == 1009


async def test_many_frames_at_once_are_all_answered_in_order(wire: Wire) -> None:
    wire.writer.write(b"".join(masked(ping(str(n))) for n in range(1000)))
    assert [(await wire.next())["ref"] for n in range(1000)] == [str(n) for n in range(1000)]


@pytest.mark.parametrize("length", [0, 125, 126, 65535, 65536])
async def test_frames_of_all_lengths_are_written_so_that_they_can_be_read(length: int) -> None:
    reader = asyncio.StreamReader(limit=2**20)
    reader.feed_data(framed(b"x" * length))
    reader.feed_eof()
    assert await Wire(reader, None).frame() == (0x81, b"x" * length)  # type: ignore[arg-type]
    assert reader.at_eof()


async def test_too_many_fragments_of_a_message_close_with_1009(wire: Wire) -> None:
    wire.writer.write(masked(b"", first=0x01) + masked(b"", first=0x00) * 2000)
    assert await wire.closed() == 1009


async def test_a_ref_of_half_a_character_is_answered_without_it(wire: Wire) -> None:
    wire.writer.write(masked(b'{"type":"ping","ref":"\\ud800"}') + masked(ping("after")))
    assert (await wire.next())["data"]["code"] == "invalid"
    assert (await wire.next())["ref"] == "after"


@pytest.mark.parametrize("first", [0x89, 0x8A])
async def test_pings_and_pongs_without_end_close_with_4008(wire: Wire, first: int) -> None:
    wire.writer.write(masked(b"", first=first) * 20)
    wire.writer.write(masked(ping("before")))
    assert (await wire.next(besides=0x8A))["ref"] == "before"
    wire.writer.write(masked(b"", first=first) * (2 * CONTROLS_MOST))
    assert await wire.closed() == 4008


async def test_a_client_that_reads_no_answers_fills_no_memory(wire: Wire, server: Server) -> None:
    before = psutil.Process(server.process.pid).memory_info().rss
    pings = masked(b"x" * 125, first=0x89) * 500
    wire.writer.transport.set_write_buffer_limits(high=1)
    wire.reader._transport.pause_reading()  # type: ignore[attr-defined]
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(20):
            for _ in range(500):
                wire.writer.write(pings)
                await wire.writer.drain()
    assert psutil.Process(server.process.pid).memory_info().rss - before < 16 * 1024 * 1024
