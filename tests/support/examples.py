"""The examples of a document, run as they stand: calls with their answers, and what is said over a socket.

A block `http` is a request, or an answer that begins with `HTTP/`. In a block `text`, `>` is sent and `<` is awaited.
`<name>` is a value: as it was got before; where it was not, an answer gives it, and a request makes a new id.
"""

import json
import re
from contextlib import AsyncExitStack
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from tests.support.client import Client, Socket

BLOCK = re.compile(r"^```(http|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RENEWED = {"access", "refresh", "cursor"}
"""What is another one each time it comes."""
NAME = re.compile(r"<(\w[\w ]*)>")


class Examples:
    """What the examples have come to know so far."""

    def __init__(self, client: Client) -> None:
        self.done = 0
        self._client = client
        self._opened = AsyncExitStack()
        self._values: dict[str, str] = {}
        self._answer: httpx.Response | None = None
        self._socket: Socket | None = None

    async def run(self, text: str) -> None:
        """Run a document; AssertionError with the line where something else comes than it says."""
        async with self._opened:
            for found in BLOCK.finditer(text):
                line = text.count("\n", 0, found.start()) + 1
                try:
                    await self._run_block(*found.groups())
                except (AssertionError, TimeoutError) as error:
                    raise AssertionError(f"line {line}: {error!r}") from error

    async def _run_block(self, kind: str, block: str) -> None:
        if kind == "text":
            for line in block.splitlines():
                await self._talk(line[:2], line[2:])
        elif block.startswith("HTTP/"):
            self._compare_answer(block)
        else:
            await self._ask(block)

    async def _ask(self, block: str) -> None:
        head, _, body = block.partition("\n\n")
        (method, path), *headers = (line.split(" ", 1) for line in self._filled(head).splitlines())
        known = {name.rstrip(":"): value for name, value in headers}
        if "Upgrade" in known:
            opened = self._client.bare_socket(headers={"Authorization": known["Authorization"]})
            self._socket = await self._opened.enter_async_context(opened)
        else:
            sent = {"json": json.loads(self._filled(body))} if body else {}
            self._answer = await self._client.request(method, path.removeprefix("/api/v1"), headers=known, **sent)

    def _compare_answer(self, block: str) -> None:
        head, _, body = block.partition("\n\n")
        assert self._answer is not None, "this answers nothing"
        assert self._answer.status_code == int(head.split()[1]), self._answer.text
        if body:
            self._compare(json.loads(body), self._answer.json())
        else:
            assert not self._answer.content, self._answer.text
        self._answer = None
        self.done += 1

    async def _talk(self, arrow: str, frame: str) -> None:
        assert self._socket is not None, "nothing is connected"
        if arrow == "> ":
            await self._socket.send(self._filled(frame))
        else:
            wanted = json.loads(frame)
            self._compare(wanted, await self._socket.next_frame(wanted["type"], ref=wanted.get("ref")))
        self.done += 1

    def _filled(self, text: str) -> str:
        return NAME.sub(lambda name: self._values.setdefault(name[1], str(uuid7())), text)

    def _compare(self, wanted: Any, found: Any) -> None:
        """What is wanted has to be there; there may be more. A value that has a name is kept under it."""
        if isinstance(wanted, dict):
            assert wanted.keys() <= found.keys(), (wanted, found)
            for name, value in wanted.items():
                self._compare(value, found[name])
        elif isinstance(wanted, list):
            assert len(wanted) == len(found), (wanted, found)
            for each, other in zip(wanted, found, strict=True):
                self._compare(each, other)
        elif isinstance(wanted, str) and (name := NAME.fullmatch(wanted)):
            renewed = name[1] in RENEWED or name[1] not in self._values
            assert renewed or self._values[name[1]] == found, (wanted, found)
            self._values[name[1]] = found
        else:
            assert wanted == found, (wanted, found)
