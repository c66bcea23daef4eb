"""A connection to PostgreSQL that can lose an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from chatproject.core.database import connection_parameters


class Wire:
    """Carries bytes both ways, until it is told to lose the server's next answer and the connection with it."""

    def __init__(self) -> None:
        known = connection_parameters()
        self._host, self._port = str(known.get("host") or "/tmp"), int(known.get("port") or 5432)  # noqa: S108
        self._loses_next = False
        self.has_lost = False
        self._carrying: list[asyncio.Task[None]] = []

    def lose_next_answer(self) -> None:
        self._loses_next = True

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there_reader, there_writer = await self._open()
        there = asyncio.ensure_future(self._copy(reader, there_writer, answers=False))
        try:
            await self._copy(there_reader, writer, answers=True)
        finally:
            there.cancel()
            for end in (writer, there_writer):
                end.close()
            await asyncio.gather(there, writer.wait_closed(), there_writer.wait_closed(), return_exceptions=True)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to serve a connection."""
        self._carrying.append(asyncio.ensure_future(self.carry(reader, writer)))

    async def end(self) -> None:
        """Cut what is still connected."""
        for each in self._carrying:
            each.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        return await asyncio.open_connection(self._host, self._port)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while data := await reader.read(65536):
            if answers and self._loses_next:
                self._loses_next, self.has_lost = False, True
                return
            writer.write(data)


@asynccontextmanager
async def wire_to_database(place: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """Put a wire between new connections and the database."""
    wire = Wire()
    server = await asyncio.start_unix_server(wire.serve, f"{place}/.s.PGSQL.5432")
    where: dict[str, Any] = connection.settings_dict
    try:
        with patch.context() as patched:
            patched.setitem(where, "HOST", str(place))
            patched.setitem(where, "PORT", "5432")
            yield wire
    finally:
        server.close()
        await wire.end()
