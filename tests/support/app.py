"""A minimal complete app, the worked example of docs/mobile.md: it sends every message and misses no event.

It stores conversations, an outbox and a cursor in memory, reconnects by itself, renews its tokens, and implements the
client rule of the contract (section 6). A real app stores the same on disk.
"""

import asyncio
import random
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
import websockets
from uuid_utils.compat import uuid7

from tests.support.client import PATIENCE, Client, Socket

TERMINAL = {4500, 4501, 4504}
"""Close codes after which reconnecting does not help."""
ENDED = 4503
"""The session has ended, or the staff has only closed the connection."""
PASSING = {"unavailable", "rate_limited", "too_fast"}
"""Codes of temporary errors: the same command is retried a little later."""
LONGEST_PAUSE = 30.0
"""Seconds."""


class SignedOut(Exception):
    """The person has to sign in again."""


@dataclass
class Known:
    """A conversation as far as the app knows it."""

    shown: dict[str, Any]
    version: int = 0
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id; deleted ones are tombstones."""

    @property
    def end(self) -> int:
        """The position of the newest message; 0 if there is none."""
        return max((each["position"] for each in self.messages.values()), default=0)

    def texts(self) -> list[str]:
        """The texts of its messages, oldest first."""
        there = (each for each in self.messages.values() if not each["deleted_at"] and each["kind"] != "notice")
        return [each["text"] for each in sorted(there, key=lambda each: each["position"])]


class App:
    """One device of one person, who has signed in and has these tokens."""

    def __init__(self, base: str, tokens: dict[str, str]) -> None:
        self.conversations: dict[str, Known] = {}
        self.outbox: dict[str, dict[str, Any]] = {}
        """The messages that are not acknowledged yet, in the order in which they were written."""
        self.refused: dict[str, str] = {}
        """The messages that were refused for good, with the error code."""
        self.is_up_to_date = asyncio.Event()
        self._client = Client(base, access=tokens["access"])
        self._refresh_token = tokens["refresh"]
        self._cursor: str | None = None
        self.generation: int | None = None
        """The generation of the server's database on which everything that the app knows is based."""
        self._socket: Socket | None = None
        self._pending_id: str | None = None
        self._pause: asyncio.Task[None] | None = None
        self._clock_offset = 0.0
        """Seconds by which our clock is behind the server's."""
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._opened.enter_async_context(self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    # Sending

    async def say(self, conversation_id: str, text: str) -> str:
        """Send a message, now or as soon as there is a connection; give its id, which is ours."""
        id = self._name()
        self.outbox[id] = {"type": "message.send", "conversation_id": conversation_id, "text": text}
        await self._send_first()
        return id

    def _name(self) -> str:
        """An id makes it safe to send a message again: it is stored once, however often it arrives.

        It tells the time by the server's clock, since ours may be wrong.
        """
        return str(uuid7(nanoseconds=time.time_ns() + int(self._clock_offset * 1e9)))

    async def _send_first(self) -> None:
        """Send the oldest waiting message, unless one is still unanswered: sending one by one keeps the order."""
        if self.outbox and self._socket is not None and self._pending_id is None:
            self._pending_id = id = next(iter(self.outbox))
            await self._send([{**self.outbox[id], "id": id, "ref": id}])

    async def _receive_answer(self, id: str, data: dict[str, Any], *, is_error: bool) -> None:
        """Receive the answer to a sent message, which only now leaves the outbox."""
        if is_error and data["code"] in PASSING:
            self._pause = asyncio.create_task(self._send_again(data.get("retry_after") or 1))
            return
        message = self.outbox.pop(id, None)
        if is_error and message and any(error["pointer"] == "/id" for error in data.get("errors", ())):
            # The id is too old, or our clock was wrong: send the message first again, under a new id.
            self.outbox = {self._name(): message, **self.outbox}
        elif is_error:
            self.refused[id] = data["code"]
        self._pending_id = None
        await self._send_first()

    async def _send_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._pending_id = None
        await self._send_first()

    async def _send(self, frames: Iterable[dict[str, Any]]) -> None:
        # If the connection is lost, the next one sends it again.
        with suppress(websockets.ConnectionClosed):
            for frame in list(frames):
                if self._socket is not None:
                    await self._socket.send(frame)

    async def _report_delivered(self, conversations: Iterable[Known]) -> None:
        """Report that all messages of these conversations have been received, without a gap."""
        ends = ((known.shown["id"], known.end) for known in conversations if known.end)
        await self._send({"type": "delivered", "conversation_id": id, "through": end} for id, end in ends)

    # Staying connected

    async def live(self) -> None:
        """Stay connected, and reconnect whenever the connection is lost, until SignedOut."""
        failures = 0
        while True:
            try:
                async with self._client.bare_socket(headers=self._client.headers) as socket:
                    if await self._is_accepted(socket):
                        failures = 0
                        await self._receive_events(socket)
            except (OSError, httpx.TransportError, websockets.InvalidHandshake):
                pass  # the server, or a proxy in front of it, is not available
            except websockets.ConnectionClosed as end:
                await self._handle_close_code(end.rcvd.code if end.rcvd else None)
            finally:
                self._socket = self._pending_id = None
                self.is_up_to_date.clear()
            # With full jitter, so that clients do not all reconnect at the same time.
            await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2**failures)))
            failures += 1

    async def _is_accepted(self, socket: Socket) -> bool:
        """Wait for the first frame; if the token has expired, renew it for the next connection."""
        greeting = await socket.any(within=PATIENCE)
        if greeting["type"] == "connected":
            self._enter_generation(greeting["data"]["generation"])
            self._clock_offset = datetime.fromisoformat(greeting["data"]["server_time"]).timestamp() - time.time()
            return True
        if greeting["data"]["code"] == "token_expired":
            await self._renew()
        else:
            await self._handle_close_code(await socket.closed())
        return False

    def _enter_generation(self, generation: int) -> None:
        """Forget everything but the outbox if a backup was restored: versions and positions begin anew."""
        if self.generation not in (None, generation):
            self._begin_anew()
        self.generation = generation

    def _begin_anew(self) -> None:
        self._cursor = None
        self.conversations.clear()

    async def _handle_close_code(self, code: int | None) -> None:
        """Handle a close code; SignedOut if reconnecting does not help."""
        if code in TERMINAL:
            raise SignedOut
        if code == ENDED:
            with suppress(OSError, httpx.TransportError):
                await self._renew()

    async def _receive_events(self, socket: Socket) -> None:
        """Catch up, send the waiting messages, and receive events until the connection is lost."""
        await self.catch_up()
        self._socket = socket
        await self._report_delivered(self.conversations.values())
        await self._send_first()
        self.is_up_to_date.set()
        while True:
            frame = await socket.any()
            if "ref" in frame:
                await self._receive_answer(frame["ref"], frame["data"], is_error=frame["type"] == "error")
            else:
                await self._apply(frame["type"], frame["data"])

    # Applying events

    async def _apply(self, type: str, data: dict[str, Any]) -> None:
        """Apply an event by the client rule; unknown types, as of a later version of Parley, are ignored."""
        if type == "conversation.created":
            await self._fetch(self._add_conversation(data))
        elif type == "conversation.removed":
            self.conversations.pop(data["conversation_id"], None)
        elif type == "resync":
            await self.catch_up()
        elif type == "conversation.settings" and (mine := self.conversations.get(data["conversation_id"])):
            mine.shown["me"] = data["me"]
        elif "version" in data and (known := self.conversations.get(data["conversation_id"])):
            await self._apply_version(known, data["version"], data.get("message"))

    async def _apply_version(self, known: Known, version: int, message: dict[str, Any] | None) -> None:
        """Apply the next version, ignore older ones; fetch the changes after a gap or a change of the conversation."""
        if version == known.version + 1 and message:
            known.version = version
            known.messages[message["id"]] = message
            await self._report_delivered([known])
        elif version > known.version:
            await self._fetch(known)

    async def catch_up(self) -> None:
        """Fetch everything that has changed since the last time."""
        has_more = True
        while has_more:
            answer = await self._get("/sync", **({"cursor": self._cursor} if self._cursor else {}))
            for shown in answer["data"]["conversations"]:
                known = self.conversations.get(shown["id"])
                # Someone who has left and joined again sees only later messages.
                if known is None or known.shown["me"]["visible_from"] != shown["me"]["visible_from"]:
                    known = self._add_conversation(shown)
                # Personal settings change without a new version.
                known.shown = shown
                if shown["version"] > known.version:
                    await self._fetch(known)
            for id in answer["data"]["removed"]:
                self.conversations.pop(id, None)
            self._cursor, has_more = answer["pagination"]["next"], answer["pagination"]["has_more"]

    def _add_conversation(self, shown: dict[str, Any]) -> Known:
        self.conversations[shown["id"]] = known = Known(shown)
        return known

    async def _fetch(self, known: Known) -> None:
        """Fetch what has changed in a conversation, in its current state."""
        has_more = True
        while has_more:
            answer = await self._get(f"/conversations/{known.shown['id']}/changes", after=known.version)
            known.messages |= {each["id"]: each for each in answer["data"]["messages"]}
            known.shown = answer["data"]["conversation"]
            has_more = answer["pagination"]["has_more"]
            known.version = answer["pagination"]["next"] if has_more else known.shown["version"]
        await self._report_delivered([known])

    # Requests

    async def _get(self, path: str, **query: Any) -> Any:
        """Send a GET request, with new tokens if ours have expired; OSError if the server can't answer now."""
        answer = await self._client.get(path, **query)
        if answer.status_code == 401 and answer.json()["code"] == "token_expired":
            await self._renew()
            answer = await self._client.get(path, **query)
        if answer.status_code == 410 and self._cursor:
            # The cursor has expired, or a backup was restored: start again without it.
            self._begin_anew()
            return await self._get(path)
        if answer.status_code in {401, 403}:
            raise SignedOut
        if not answer.is_success:
            raise OSError(answer.text)
        return answer.json()

    async def _renew(self) -> None:
        """Exchange the refresh token for the next pair of tokens."""
        answer = await self._client.post("/auth/token/refresh", refresh=self._refresh_token)
        if answer.status_code in {401, 403}:
            raise SignedOut
        if not answer.is_success:
            raise OSError(answer.text)
        pair = answer.json()["data"]
        self._refresh_token = pair["refresh"]
        self._client.use(pair["access"])
