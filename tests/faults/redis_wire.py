"""The wire to Redis: it understands RESP well enough to lose an event on its way down, or to let it be late."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from accounts.changes import PersonalSettingsChanged, UserChanged
from chatproject.core.envelope import ENVELOPE_BYTES
from chatproject.core.realtime import ConversationEvent
from tests.faults.wires import CHUNK, Link, Wire

LINE_END = b"\r\n"
PUBLISHING = b"'PUBLISH'"
VERSIONED = msgspec.msgpack.Decoder(ConversationEvent | UserChanged | PersonalSettingsChanged)
"""Reads the events that a version counts, and raises ValidationError for all others."""
MESSAGES = (b"*3\r\n$7\r\nmessage\r\n", b">3\r\n$7\r\nmessage\r\n")


class Event(NamedTuple):
    """An event as it travels from server to server: of a conversation, or of a person."""

    conversation_id: str | None
    version: int
    origin: bytes
    """What tells messages of one process from those of others."""


@dataclass(frozen=True, slots=True)
class Drop:
    """An event that one server never heard."""

    server: str
    event: Event
    at: float


class RedisLink(Link):
    """Takes apart what goes up and what comes down, word by word."""

    wire: "RedisWire"

    async def upward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = b""
        while data := await reader.read(CHUNK):
            *commands, buffer = split(buffer + data)
            for command in commands:
                if PUBLISHING in command:
                    self.wire.origins.add(words_of(command)[-1][:ENVELOPE_BYTES])
            writer.write(data)
            await writer.drain()

    async def downward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = b""
        while data := await reader.read(CHUNK):
            *replies, buffer = split(buffer + data)
            for reply in replies:
                self._pass_on(reply, writer)
            await writer.drain()

    def _pass_on(self, reply: bytes, writer: asyncio.StreamWriter) -> None:
        event = event_in(reply)
        # What a process says itself it has heard already.
        if event is None or event.origin in self.wire.origins:
            writer.write(reply)
        elif not self.wire.drops(event):
            if pause := self.wire.pause(event):
                asyncio.get_running_loop().call_later(pause, _write_late, writer, reply)
            else:
                writer.write(reply)


class RedisWire(Wire):
    """Loses or delays events while it is told to."""

    link = RedisLink

    def __init__(self, server: str, **ends: Any) -> None:
        super().__init__(**ends)
        self.server = server
        self.unlucky: Callable[[Event], bool] = lambda event: False
        """Which events are lost now."""
        self.late: Callable[[Event], float] = lambda event: 0
        """How many seconds an event waits now, while those behind it go on."""
        self.origins: set[bytes] = set()
        """Those of this process, in all its lives."""
        self.dropped: list[Drop] = []
        self.delayed = 0

    def drops(self, event: Event) -> bool:
        """Tell whether an event is lost, and note it."""
        lost = self.unlucky(event)
        if lost:
            self.dropped.append(Drop(self.server, event, time.time()))
        return lost

    def pause(self, event: Event) -> float:
        """Give the seconds that an event waits."""
        pause = self.late(event)
        self.delayed += pause > 0
        return pause

    def heal(self) -> None:
        """Do no more harm."""
        self.unlucky, self.late = lambda event: False, lambda event: 0


def _write_late(writer: asyncio.StreamWriter, reply: bytes) -> None:
    if not writer.is_closing():
        writer.write(reply)


def split(buffer: bytes) -> list[bytes]:
    """Split into whole commands or replies, and what has come of the next one."""
    found, start = [], 0
    while (end := end_of_reply(buffer, start)) is not None:
        found.append(buffer[start:end])
        start = end
    return [*found, buffer[start:]]


def words_of(command: bytes) -> list[bytes]:
    """Read the words of a whole command or reply that is a list of strings."""
    words, at = [], command.index(LINE_END) + 2
    while at < len(command):
        line_end = command.index(LINE_END, at)
        at = line_end + 2 + int(command[at + 1 : line_end]) + 2
        words.append(command[line_end + 2 : at - 2])
    return words


def end_of_reply(buffer: bytes, at: int) -> int | None:
    """Find the end of the reply that begins here; None if some of it is still to come. RESP 2 and 3."""
    expected = 1
    while expected:
        line_end = buffer.find(LINE_END, at)
        if line_end < 0:
            return None
        kind, said = buffer[at : at + 1], buffer[at + 1 : line_end]
        at = line_end + 2
        expected -= 1
        if kind in b"$=!" and int(said) >= 0:
            at += int(said) + 2
        elif kind in b"*~>%|":
            expected += max(int(said), 0) * (2 if kind in b"%|" else 1) + (kind == b"|")
    return at if at <= len(buffer) else None


def event_in(reply: bytes) -> Event | None:
    """Read the event that a reply brings; None for any other reply, and for what no version counts."""
    if not reply.startswith(MESSAGES):
        return None
    *_, payload = words_of(reply)
    try:
        event = VERSIONED.decode(payload[ENVELOPE_BYTES:])
    except msgspec.ValidationError:
        return None
    where = str(event.conversation_id) if isinstance(event, ConversationEvent) else None
    return Event(where, event.version, payload[:ENVELOPE_BYTES])
