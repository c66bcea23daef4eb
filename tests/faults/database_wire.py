"""The wire to PostgreSQL: it sees which commits are of something written, delays them, or loses their answers."""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.faults.wires import CHUNK, Link, Wire

WRITES = re.compile(r"INSERT INTO|DELETE FROM|(?<!FOR )(?<!KEY )UPDATE ", re.IGNORECASE)
CONTROL = re.compile(r"\s*(BEGIN|START|COMMIT|ROLLBACK(?! TO))\b", re.IGNORECASE)


class Statements:
    """What a web process says to PostgreSQL, read for one thing only: whether something written is being committed."""

    def __init__(self) -> None:
        self._buffer = b""
        self._greeted = False
        self._prepared: dict[bytes, str] = {}
        self._in_transaction = False
        self._has_written = False
        self.commits = False

    def read(self, data: bytes) -> None:
        """Read on; `commits` is set when a commit is asked for, by word or by a statement on its own."""
        self._buffer += data
        for kind, body in self._messages():
            if kind == b"Q":
                self._run(_words(body))
            elif kind == b"P":
                name, sql, _ = body.split(b"\0", 2)
                self._prepared[name] = _words(sql)
            elif kind == b"B":
                self._run(self._prepared.get(body.split(b"\0", 2)[1], ""))

    def _run(self, sql: str) -> None:
        if control := CONTROL.match(sql):
            self._control(control[1].upper())
        elif WRITES.search(sql):
            self._has_written = self._in_transaction
            self.commits |= not self._in_transaction

    def _control(self, word: str) -> None:
        self.commits |= word == "COMMIT" and self._has_written
        self._in_transaction = word in {"BEGIN", "START"}
        self._has_written = False

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Take whole messages off the buffer; only the first one, the greeting, has no kind."""
        while len(self._buffer) >= 5:
            head = int(self._greeted)
            length = head + int.from_bytes(self._buffer[head : head + 4], "big")
            if len(self._buffer) < length:
                return
            kind, body = self._buffer[:head], self._buffer[head + 4 : length]
            self._buffer, self._greeted = self._buffer[length:], True
            yield kind, body


class DatabaseLink(Link):
    """Holds commits back and lets answers disappear, as its wire says."""

    wire: "DatabaseWire"

    def __init__(self, wire: "Wire") -> None:
        super().__init__(wire)
        self._statements = Statements()

    async def upward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            self._statements.read(data)
            if self._statements.commits:
                await self.wire.hold_back()
            writer.write(data)
            await writer.drain()

    async def downward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if self._statements.commits:
                self._statements.commits = False
                if self.wire.loses_answer():
                    return
                await self.wire.hold_back()
            writer.write(data)
            await writer.drain()


class DatabaseWire(Wire):
    """Delays commits and loses answers while it is told to."""

    link = DatabaseLink

    def __init__(self, **ends: Any) -> None:
        super().__init__(**ends)
        self.delay: Callable[[], float] = lambda: 0
        """How many seconds a commit is held back, on its way up and on its answer's way down."""
        self.answers_to_lose = 0
        self.lost = 0
        self.delayed = 0

    async def hold_back(self) -> None:
        """Wait, if commits are slow now."""
        if seconds := self.delay():
            self.delayed += 1
            await asyncio.sleep(seconds)

    def loses_answer(self) -> bool:
        """Tell whether this answer is lost, and its connection with it; note it."""
        loses = self.answers_to_lose > 0
        self.answers_to_lose -= loses
        self.lost += loses
        return loses

    def heal(self) -> None:
        """Do no more harm."""
        self.delay, self.answers_to_lose = lambda: 0, 0


def _words(sql: bytes) -> str:
    return sql.rstrip(b"\0").decode(errors="replace")
