"""A whole app in small, the worked example of docs/mobile.md: it sends what it was told to, and misses nothing.

It keeps conversations, an outbox and a cursor, comes back by itself, renews its tokens, and follows the client rule of
the contract (section 6). A real app keeps the same on disk.
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
"""Close codes behind which nothing changes by coming back."""
ENDED = 4503
"""The session has ended, or the staff has only closed the connection."""
PASSING = {"unavailable", "rate_limited", "too_fast"}
"""Codes of refusals that are none: the same is asked again, a little later."""
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
        """What is said in it, oldest first."""
        there = (each for each in self.messages.values() if not each["deleted_at"] and each["kind"] != "notice")
        return [each["text"] for each in sorted(there, key=lambda each: each["position"])]


class App:
    """One device of one person, who has signed in and has these tokens."""

    def __init__(self, base: str, tokens: dict[str, str]) -> None:
        self.conversations: dict[str, Known] = {}
        self.outbox: dict[str, dict[str, Any]] = {}
        """What nobody has acknowledged yet, in the order in which it was said."""
        self.refused: dict[str, str] = {}
        """What will never be sent, with the code of the reason."""
        self.is_up_to_date = asyncio.Event()
        self._client = Client(base, access=tokens["access"])
        self._refresh_token = tokens["refresh"]
        self._cursor: str | None = None
        self._socket: Socket | None = None
        self._under_way: str | None = None
        self._pause: asyncio.Task[None] | None = None
        self._behind = 0.0
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
        return str(uuid7(nanoseconds=time.time_ns() + int(self._behind * 1e9)))

    async def _send_first(self) -> None:
        """Send the oldest of what waits, unless its answer is still to come: one by one it keeps its order."""
        if self.outbox and self._socket is not None and self._under_way is None:
            self._under_way = id = next(iter(self.outbox))
            await self._send([{**self.outbox[id], "id": id, "ref": id}])

    async def _take_answer(self, id: str, data: dict[str, Any], *, is_error: bool) -> None:
        """The one answer to what was sent; only now it leaves the outbox."""
        if is_error and data["code"] in PASSING:
            self._pause = asyncio.create_task(self._send_again(data.get("retry_after") or 1))
            return
        said = self.outbox.pop(id, None)
        if is_error and said and any(error["pointer"] == "/id" for error in data.get("errors", ())):
            # It lay here for too long, or our clock was wrong: the same under another name, and still the first.
            self.outbox = {self._name(): said, **self.outbox}
        elif is_error:
            self.refused[id] = data["code"]
        self._under_way = None
        await self._send_first()

    async def _send_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._under_way = None
        await self._send_first()

    async def _send(self, frames: Iterable[dict[str, Any]]) -> None:
        # Where the connection is lost meanwhile, the next one tells.
        with suppress(websockets.ConnectionClosed):
            for frame in list(frames):
                if self._socket is not None:
                    await self._socket.send(frame)

    async def _tell_delivered(self, conversations: Iterable[Known]) -> None:
        """Tell that we have all of these without a hole."""
        ends = ((known.shown["id"], known.end) for known in conversations if known.end)
        await self._send({"type": "delivered", "conversation_id": id, "through": end} for id, end in ends)

    # Staying connected

    async def live(self) -> None:
        """Be connected, and come back whenever the connection is lost, until SignedOut."""
        failures = 0
        while True:
            try:
                async with self._client.bare_socket(headers=self._client.headers) as socket:
                    if await self._is_let_in(socket):
                        failures = 0
                        await self._hear(socket)
            except (OSError, httpx.TransportError, websockets.InvalidHandshake):
                pass  # nobody is there, or something before it that says so
            except websockets.ConnectionClosed as end:
                await self._heed(end.rcvd.code if end.rcvd else None)
            finally:
                self._socket = self._under_way = None
                self.is_up_to_date.clear()
            # With full jitter, so that not everybody comes back at the same moment.
            await asyncio.sleep(random.uniform(0, min(LONGEST_PAUSE, 0.5 * 2**failures)))
            failures += 1

    async def _is_let_in(self, socket: Socket) -> bool:
        """Wait for the first frame; where the token has run out, come back with the next one."""
        greeting = await socket.any(within=PATIENCE)
        if greeting["type"] == "connected":
            self._behind = datetime.fromisoformat(greeting["data"]["server_time"]).timestamp() - time.time()
            return True
        if greeting["data"]["code"] == "token_expired":
            await self._renew()
        else:
            await self._heed(await socket.closed())
        return False

    async def _heed(self, code: int | None) -> None:
        """Do what a close code asks for; SignedOut where there is no coming back."""
        if code in TERMINAL:
            raise SignedOut
        if code == ENDED:
            with suppress(OSError, httpx.TransportError):
                await self._renew()

    async def _hear(self, socket: Socket) -> None:
        """Catch up, send what waits, and hear what happens until the connection is lost."""
        await self.catch_up()
        self._socket = socket
        await self._tell_delivered(self.conversations.values())
        await self._send_first()
        self.is_up_to_date.set()
        while True:
            frame = await socket.any()
            if "ref" in frame:
                await self._take_answer(frame["ref"], frame["data"], is_error=frame["type"] == "error")
            else:
                await self._apply(frame["type"], frame["data"])

    # Knowing

    async def _apply(self, type: str, data: dict[str, Any]) -> None:
        """Do what the client rule says; what is of no concern here, or of a later version of Parley, is ignored."""
        if type == "conversation.created":
            await self._fetch(self._begin(data))
        elif type == "conversation.removed":
            self.conversations.pop(data["conversation_id"], None)
        elif type == "resync":
            await self.catch_up()
        elif type == "conversation.settings" and (mine := self.conversations.get(data["conversation_id"])):
            mine.shown["me"] = data["me"]
        elif "version" in data and (known := self.conversations.get(data["conversation_id"])):
            await self._follow(known, data["version"], data.get("message"))

    async def _follow(self, known: Known, version: int, message: dict[str, Any] | None) -> None:
        """Apply the next version, ignore an older one; ask for a hole, and for a change of the conversation itself."""
        if version == known.version + 1 and message:
            known.version = version
            known.messages[message["id"]] = message
            await self._tell_delivered([known])
        elif version > known.version:
            await self._fetch(known)

    async def catch_up(self) -> None:
        """Ask for everything that happened since the last time."""
        has_more = True
        while has_more:
            answer = await self._get("/sync", **({"cursor": self._cursor} if self._cursor else {}))
            for shown in answer["data"]["conversations"]:
                known = self.conversations.get(shown["id"])
                # Who has been out of it sees what was said since they came back.
                if known is None or known.shown["me"]["visible_from"] != shown["me"]["visible_from"]:
                    known = self._begin(shown)
                # What is one's own changes without a version.
                known.shown = shown
                if shown["version"] > known.version:
                    await self._fetch(known)
            for id in answer["data"]["removed"]:
                self.conversations.pop(id, None)
            self._cursor, has_more = answer["pagination"]["next"], answer["pagination"]["has_more"]

    def _begin(self, shown: dict[str, Any]) -> Known:
        self.conversations[shown["id"]] = known = Known(shown)
        return known

    async def _fetch(self, known: Known) -> None:
        """Ask for what changed in a conversation, in its present state."""
        has_more = True
        while has_more:
            answer = await self._get(f"/conversations/{known.shown['id']}/changes", after=known.version)
            known.messages |= {each["id"]: each for each in answer["data"]["messages"]}
            known.shown = answer["data"]["conversation"]
            has_more = answer["pagination"]["has_more"]
            known.version = answer["pagination"]["next"] if has_more else known.shown["version"]
        await self._tell_delivered([known])

    # Asking

    async def _get(self, path: str, **query: Any) -> Any:
        """Read something, with new tokens if ours have run out; OSError if it can't be had now."""
        answer = await self._client.get(path, **query)
        if answer.status_code == 401 and answer.json()["code"] == "token_expired":
            await self._renew()
            answer = await self._client.get(path, **query)
        if answer.status_code == 410 and self._cursor:
            # The cursor has lain about for too long: begin anew.
            self._cursor = None
            self.conversations.clear()
            return await self._get(path)
        if answer.status_code in {401, 403}:
            raise SignedOut
        if not answer.is_success:
            raise OSError(answer.text)
        return answer.json()

    async def _renew(self) -> None:
        """Turn the refresh token into the next pair."""
        answer = await self._client.post("/auth/token/refresh", refresh=self._refresh_token)
        if answer.status_code in {401, 403}:
            raise SignedOut
        if not answer.is_success:
            raise OSError(answer.text)
        pair = answer.json()["data"]
        self._refresh_token = pair["refresh"]
        self._client.use(pair["access"])
