"""A device: one socket that comes back by itself, a replica, an outbox, and the rules of the contract's section 6."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import orjson
import websockets
from uuid_utils import uuid7

from tests.faults.journal import OUT_OF_ORDER, UNEXPECTED, Journal, Saying
from tests.faults.outbox import RETRY_SECONDS, TRANSIENT, Outbox
from tests.faults.replica import Replica
from tests.faults.rest import Away, Rest
from tests.support import frames

OPEN_SECONDS = 8
SIGN_INS = ("header", "ticket", "frame")
CLOSED = (websockets.WebSocketException, OSError, TimeoutError)


@dataclass
class Period:
    """A time in which a device heard a server: from the moment it had caught up."""

    server: str
    since: float
    until: float = float("inf")


class Device:
    """One of a person's devices. A phone sends what is in its outbox before it catches up."""

    def __init__(
        self,
        name: str,
        *,
        urls: dict[str, str],
        http: httpx.AsyncClient,
        journal: Journal,
        rng: Random,
        sign_in: str = "header",
        is_phone: bool = False,
    ) -> None:
        self.name = name
        self.user_id = ""
        self.is_phone = is_phone
        self.replica = Replica(name, journal)
        self.outbox = Outbox(journal, self._send_saying)
        self.rest = Rest(http, list(urls.values()), rng, journal)
        self.periods: list[Period] = []
        self.stalls: list[tuple[float, float]] = []
        self.is_settled = False
        self._may_send = False
        self._urls = urls
        self._journal = journal
        self._rng = rng
        self._sign_in = sign_in
        self._connection: websockets.ClientConnection | None = None
        self._asked: dict[str, dict[str, Any]] = {}
        self._refs = 0

    @property
    def server(self) -> str | None:
        """The server that it hears; None until it has caught up."""
        return self.periods[-1].server if self.is_settled else None

    # What people do with it

    def say(self, conversation_id: str, text: str) -> None:
        """Send a message, sooner or later."""
        self.outbox.put(Saying(str(uuid7()), conversation_id, self.user_id, text))

    async def post(self, conversation_id: str, text: str) -> None:
        """Send a message by REST, under one id until it is answered."""
        saying = Saying(str(uuid7()), conversation_id, self.user_id, text)
        self._journal.say(saying)
        body = {"id": saying.id, "conversation_id": conversation_id, "text": text}
        answer = await self.rest.call("POST", "/messages", tries=1000, **body)
        if answer.is_success:
            self._journal.acknowledge(answer.json()["data"])
        else:
            # It may have been asked for more than once.
            self._journal.refuse(saying.id, answer.json()["code"], tries=2)

    def ask(self, type: str, **fields: Any) -> None:
        """Ask for a change over the socket, if there is one; nobody repeats it."""
        self._refs += 1
        frame = {"type": type, "ref": f"ask {self._refs}", **fields}
        self._asked[frame["ref"]] = frame
        self._send(frame)

    def read(self, conversation_id: str) -> None:
        """Mark a conversation as read to its end."""
        known = self.replica.conversations.get(conversation_id)
        if known is not None and known.end > known.mark:
            known.mark = known.end
            self._mark(conversation_id)

    def _mark(self, conversation_id: str) -> None:
        known = self.replica.conversations.get(conversation_id)
        if known is not None and known.mark:
            self._send({"type": "read", "ref": f"read {known.id}", "conversation_id": known.id, "through": known.mark})

    def _deliver(self, conversation_id: str) -> None:
        """Tell that everything up to the newest message is here."""
        known = self.replica.conversations.get(conversation_id)
        if known is not None and known.end:
            known.delivered = known.end
            said = {"type": "delivered", "ref": f"delivered {known.id}"}
            self._send({**said, "conversation_id": known.id, "through": known.end})

    def move(self) -> None:
        """Say goodbye, and come back, perhaps to another server."""
        if self.is_settled and self._connection is not None and self._connection.state is websockets.State.OPEN:
            self._connection.protocol.send_close(1000)
            self._connection.send_data()

    # What the nemesis does to it

    def cut(self) -> bool:
        """Lose the connection without a word; False if there is none."""
        if self._connection is None:
            return False
        self._connection.transport.abort()
        return True

    async def stall(self, seconds: float) -> bool:
        """Read nothing for a while; False if there is no connection."""
        if (connection := self._connection) is None:
            return False
        began = time.time()
        connection.transport.pause_reading()
        await asyncio.sleep(seconds)
        if not connection.transport.is_closing():
            connection.transport.resume_reading()
        self.stalls.append((began, time.time()))
        return True

    # Its connection

    async def live(self) -> None:
        """Be connected, to whichever server answers, until cancelled."""
        while True:
            server = self._rng.choice(list(self._urls))
            with suppress(Away, *CLOSED):
                await self._connect(server)
            await asyncio.sleep(self._rng.uniform(0.05, 0.6))

    async def _connect(self, server: str) -> None:
        url = f"{self._urls[server].replace('http', 'ws', 1)}/ws/chat"
        headers = self.rest.headers if self._sign_in == "header" else {}
        if self._sign_in == "ticket":
            answer = await self.rest.try_once("POST", "/auth/ticket")
            url += f"?ticket={answer.json()['data']['ticket']}"
        options: dict[str, Any] = {"max_size": None, "max_queue": None, "ping_interval": None, "compression": None}
        async with websockets.connect(
            url, additional_headers=headers, open_timeout=OPEN_SECONDS, close_timeout=1, proxy=None, **options
        ) as connection:
            if self._sign_in == "frame":
                await connection.send(orjson.dumps({"type": "connect", "token": self.rest.access}), text=True)
            async with asyncio.timeout(OPEN_SECONDS):
                greeting = orjson.loads(await connection.recv())
            self._journal.hold(frames.check, greeting)
            if greeting["type"] == "connected":
                await self._serve(server, connection, generation=greeting["data"]["generation"])
            elif greeting["type"] != "error":
                self._journal.find(OUT_OF_ORDER, f"{self.name} was told {greeting['type']} before it was connected")
            elif greeting["data"]["code"] == "token_expired":
                await self.rest.sign_in(self.rest.username)

    async def _serve(self, server: str, connection: websockets.ClientConnection, *, generation: int) -> None:
        """Hear one socket to its end."""
        self._connection = connection
        self.replica.connect(generation)
        try:
            if self.is_phone:
                self._flush()
            await self._catch_up()
            if not self.is_phone:
                self._flush()
            await self._hear(server, connection)
        finally:
            self._connection, self._may_send = None, False
            self._asked.clear()

    def _flush(self) -> None:
        self._may_send = True
        self.outbox.flush()

    async def _hear(self, server: str, connection: websockets.ClientConnection) -> None:
        """Take what is told from now on."""
        for id in self.replica.conversations:
            self._mark(id)
            self._deliver(id)
        self.periods.append(period := Period(server, time.time()))
        arrived: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        listening = asyncio.create_task(self._listen(connection, period, arrived))
        try:
            self.is_settled = True
            while (frame := await arrived.get()) is not None:
                await self._take(frame)
            await listening  # so that what it could not understand ends the run
        finally:
            self.is_settled = False
            listening.cancel()

    async def _listen(
        self, connection: websockets.ClientConnection, period: Period, arrived: asyncio.Queue[dict[str, Any] | None]
    ) -> None:
        """Note when each frame arrives, also while an answer to something else is waited for; None at the end."""
        try:
            with suppress(*CLOSED):
                async for said in connection:
                    frame = orjson.loads(said)
                    self._journal.hold(frames.check, frame)
                    if "ref" not in frame:
                        self.replica.hear(frame["type"], frame["data"])
                    arrived.put_nowait(frame)
        finally:
            period.until = time.time()
            arrived.put_nowait(None)

    def _send_saying(self, frame: dict[str, Any]) -> bool:
        """Send a message, if the device is so far that it sends any; tell whether it was sent."""
        return self._may_send and self._send(frame)

    def _send(self, frame: dict[str, Any]) -> bool:
        """Send a frame if there is a connection, and tell whether there was; it may get lost on its way."""
        if self._connection is None or self._connection.state is not websockets.State.OPEN:
            return False
        self._connection.protocol.send_text(orjson.dumps(frame))
        self._connection.send_data()
        return True

    async def _take(self, frame: dict[str, Any]) -> None:
        if "ref" in frame:
            self._take_answer(frame["ref"], frame)
        elif frame["type"] == "error" and frame["data"]["code"] in TRANSIENT:
            pass  # the server closes the connection now: it ends, or a backup was restored
        elif frame["type"] == "error":
            self._journal.find(UNEXPECTED, f"{self.name}: {frame['data']}")
        else:
            wanted = self.replica.apply(frame["type"], frame["data"])
            if frame["type"] == "message.created":
                self._deliver(frame["data"]["conversation_id"])
            for id in [wanted] if wanted else list(self.replica.conversations) if wanted == "" else ():
                await self._fetch(id)

    def _take_answer(self, ref: str, frame: dict[str, Any]) -> None:
        code = frame["data"].get("code") if frame["type"] == "error" else None
        word, _, id = ref.partition(" ")
        if word in {"read", "delivered"}:
            if code in TRANSIENT:
                again = self._mark if word == "read" else self._deliver
                asyncio.get_running_loop().call_later(RETRY_SECONDS, again, id)
        elif word == "ask":
            asked = self._asked.pop(ref, None)
            if asked and code is None:
                self._journal.changes[asked["message_id"]].append(frame["data"])
        else:
            self.outbox.answer(ref, frame)

    # Catching up

    async def _catch_up(self) -> None:
        """Ask for everything that happened since the last time."""
        has_more = True
        while has_more:
            query = {"cursor": self.replica.cursor} if self.replica.cursor else {}
            answer = await self._get("/sync", **query)
            if answer.get("code") == "gone":
                self.replica.begin_anew()
                continue
            for shown in answer["data"]["conversations"]:
                known = self.replica.begin(shown)
                if shown["version"] > known.version:
                    await self._fetch(shown["id"])
            for id in answer["data"]["removed"]:
                self.replica.forget(id)
            self.replica.cursor, has_more = answer["pagination"]["next"], answer["pagination"]["has_more"]

    async def _fetch(self, id: str) -> None:
        """Ask for what changed in a conversation; give it up if it is not there for us."""
        has_more = True
        while has_more and (known := self.replica.conversations.get(id)):
            answer = await self._get(f"/conversations/{id}/changes", after=known.version, limit=100)
            if answer is None:
                self.replica.forget(id)
                return
            known.take(answer["data"]["conversation"])
            for message in answer["data"]["messages"]:
                known.put(message)
            has_more = answer["pagination"]["has_more"]
            known.version = answer["pagination"]["next"] if has_more else answer["data"]["conversation"]["version"]

    async def _get(self, path: str, **query: Any) -> Any:
        """Read something for as long as the socket is open; None if it is not there."""
        while self._connection is not None and not self._connection.transport.is_closing():
            with suppress(Away):
                answer = await self.rest.try_once("GET", path, **query)
                return None if answer.status_code == 404 else answer.json()
            await asyncio.sleep(self._rng.uniform(0.1, 0.4))
        raise Away
