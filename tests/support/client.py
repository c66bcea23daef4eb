"""A small client of Parley: REST and the socket, as an app would use them. All tests that go through a door use it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import httpx
import websockets
from uuid_utils.compat import uuid7

from tests.support import frames
from tests.support.contract import check_soon

# A busy machine is slow; nothing that goes well has to wait for this.
PATIENCE = 20.0


class Socket:
    """One device's WebSocket."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        self._seen: list[dict[str, Any]] = []
        self._refs = 0

    async def _hear(self) -> None:
        """Wait for one more frame; whatever comes has to be as it was declared."""
        frame = json.loads(await self._connection.recv())
        frames.check(frame)
        self._seen.append(frame)

    async def any(self, *, within: float | None = None) -> dict[str, Any]:
        """Wait for the next whole frame, whatever it is."""
        async with asyncio.timeout(within):
            if not self._seen:
                await self._hear()
        return self._seen.pop(0)

    async def next(self, type: str, *, within: float = PATIENCE) -> dict[str, Any]:
        """Wait for the next frame of a type and give its data; other frames stay for those who wait for them."""
        return (await self.next_frame(type, within=within))["data"]

    async def first(self) -> str:
        """Wait for the first frame and give its type; it stays for those who wait for it."""
        async with asyncio.timeout(PATIENCE):
            while not self._seen:
                await self._hear()
        return str(self._seen[0]["type"])

    async def next_frame(self, type: str, *, ref: str | None = None, within: float = PATIENCE) -> dict[str, Any]:
        """Wait for the next whole frame of a type, or for the answer with a `ref`."""

        def wanted(frame: dict[str, Any]) -> bool:
            return frame["type"] == type if ref is None else frame.get("ref") == ref

        async with asyncio.timeout(within):
            while not (found := next(filter(wanted, self._seen), None)):
                await self._hear()
        self._seen.remove(found)
        return found

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a command and give the frame that answers it."""
        self._refs += 1
        ref = str(self._refs)
        await self.send({"type": type, "ref": ref, **fields})
        return await self.next_frame("ack", ref=ref)

    async def say(self, conversation_id: str, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message under an id of our own and give what was acknowledged."""
        answer = await self.ask("message.send", id=str(uuid7()), conversation_id=conversation_id, text=text, **fields)
        assert answer["type"] == "ack", answer
        return answer["data"]

    async def send(self, frame: Any, *, as_text: bool | None = None) -> None:
        """Send a frame; a string goes as it is, and so do bytes, as a binary frame unless told otherwise."""
        ready = frame if isinstance(frame, str | bytes) else json.dumps(frame, ensure_ascii=False)
        await self._connection.send(ready, text=as_text)

    def seen(self, type: str = "") -> list[dict[str, Any]]:
        """Give the whole frames, of a type if one is named, that have come and were not waited for."""
        return [frame for frame in self._seen if type in {"", frame["type"]}]

    async def silence(self, type: str, *, during: float = 0.3) -> bool:
        """Tell whether no frame of a type comes for a while."""
        try:
            await self.next_frame(type, within=during)
        except TimeoutError:
            return True
        return False

    async def closed(self) -> int:
        """Wait for the end of the socket and give its close code."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self._hear()
        except websockets.ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006


class Client:
    """One person's app."""

    def __init__(self, base: str, *, access: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {access}"} if access else {}
        self._base = base
        self.headers = headers
        hooks = {"response": [check_soon]}
        self._http = httpx.AsyncClient(base_url=f"{base}/api/v1", headers=headers, timeout=PATIENCE, event_hooks=hooks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    def use(self, access: str) -> None:
        """Go on with another access token."""
        self.headers = {"Authorization": f"Bearer {access}"}
        self._http.headers.update(self.headers)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self._http.get(path, params=query)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self._http.post(path, json=body)

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self._http.request(method, path, **options)

    @asynccontextmanager
    async def socket(self, *, headers: dict[str, str] | None = None, query: str = "") -> AsyncIterator[Socket]:
        """Open the socket and wait until the server says that it hears everything."""
        async with self.bare_socket(headers=self.headers if headers is None else headers, query=query) as socket:
            await socket.next("connected")
            yield socket

    @asynccontextmanager
    async def bare_socket(self, *, headers: dict[str, str], query: str = "") -> AsyncIterator[Socket]:
        """Open the socket and wait for nothing."""
        url = f"{self._base.replace('http', 'ws', 1)}/ws/chat{query}"
        async with websockets.connect(
            url, additional_headers=headers, max_size=None, max_queue=None, close_timeout=1, compression=None
        ) as connection:
            yield Socket(connection)
