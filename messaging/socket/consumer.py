"""The WebSocket: one socket for each device. It reads frames, passes them to handlers and delivers to the device."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from channels.consumer import AsyncConsumer
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.auth.tokens import SocketCredentials, Unauthenticated, session_of
from accounts.models import Session
from accounts.people.profiles import own_json
from chatproject.core.client_address import address_of
from chatproject.core.client_limits import limits
from chatproject.core.database import in_thread
from chatproject.core.errors import Suspended
from chatproject.core.ids import Id, uuid7
from chatproject.core.logging import socket_id
from chatproject.core.rate_limits import Limit, RateLimited, consume_async, quotas
from chatproject.core.realtime import encode, timestamp
from chatproject.server.close_codes import CloseCode
from chatproject.server.connection import EXTENSION, Connection
from messaging.messages.group_commit import group_commit
from messaging.messages.json import MessageJSON
from messaging.messages.outcome import SendResult
from messaging.presence.registry import SOCKETS_MOST
from messaging.realtime.hub import hub
from messaging.receipts.batcher import watermark_batcher
from messaging.socket import commands
from messaging.socket.catch_up import Missed, created, turn
from messaging.socket.commands import BadFrame, Connect, MessageSend, Typing
from messaging.socket.handlers import as_person, obey
from messaging.socket.rate_limits import Frames, Pace, Tally
from messaging.socket.send_queue import AsgiConnection, SendQueue

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
ATTACH_SECONDS = 10.0
HEARTBEAT_SECONDS = 25
GOODBYE_SECONDS = 1.0
"""How long a stopping server waits for the commits that a socket waits for."""

CLOSE_CODES = {"token_expired": CloseCode.TOKEN_EXPIRED, "session_revoked": CloseCode.SESSION_ENDED}

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Disconnected(Exception):
    """The other side has disconnected."""


class ChatConsumer(AsyncConsumer):  # type: ignore[misc]
    """A device's socket. The hub delivers to it directly, so it is in no group of the layer."""

    user_id: UUID
    session_id: UUID

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve the socket from its handshake to its end.

        Stock consumers ask the database's thread after every frame whether its connections are old; this one goes
        without `dispatch` and looks after them where it uses the database.
        """
        socket_id.set(str(uuid7()))
        self.scope = scope
        self._receive = receive
        self._connection: Connection = scope.get("extensions", {}).get(EXTENSION) or AsgiConnection(send)
        self._send_queue = SendQueue(self._connection, on_slow=self._on_slow)
        self._ended = False
        self.under_way = 0
        self._answers: asyncio.Future[None] | None = None
        self._bad_frames, self._hasty_frames = Tally(most=20, seconds=60), Tally(most=1000, seconds=10)
        try:
            await receive()
            await send({"type": "websocket.accept"})
            if await self._sign_in():
                await self._serve()
        except Disconnected:
            pass

    # What the hub calls

    def deliver(self, frame: bytes) -> None:
        """Send a ready frame."""
        self._send_queue.put(frame)

    def deliver_if_idle(self, frame: bytes) -> bool:
        """Send a frame that may be dropped, unless others are queued already; tell whether it was sent."""
        return self._send_queue.put_if_idle(frame)

    def end(self, code: int, error: str, detail: str) -> None:
        """Say why, then close for good."""
        self.deliver(_error_frame(error, detail))
        self._send_queue.close(code)
        self._ended = True
        hub().detach(self)

    def _on_slow(self) -> None:
        self._send_queue.abandon(
            _error_frame("too_slow", "You take too long to read. Come back and catch up."), CloseCode.TOO_SLOW
        )
        self._ended = True
        hub().detach(self)

    # Signing in

    async def _sign_in(self) -> bool:
        """Find out whose socket this is: by what came with the handshake, or by a first frame within five seconds."""
        ref = None
        try:
            await self._count_opening(quotas.SOCKETS_OF_ADDRESS, address_of(self.scope))
            self._catches_up = "1" in parse_qs(self.scope["query_string"].decode("latin1")).get("catch_up", ())
            session = await in_thread(SocketCredentials(self.scope).session)()
            if session is None:
                first = await self._first_frame()
                ref = commands.ref_of(first)
                session = await self._session_of(first)
            await self._count_opening(quotas.SOCKETS, session.user_id)
            self._belong_to(session)
            return True
        except TimeoutError:
            self._refuse("not_authenticated", "Nobody signed in within five seconds.", CloseCode.NOT_AUTHENTICATED)
        except Unauthenticated as error:
            code = str(error.get_codes())
            self._refuse(code, str(error.detail), CLOSE_CODES.get(code, CloseCode.NOT_AUTHENTICATED), ref=ref)
        except Suspended as error:
            self._refuse(error.code, error.detail, CloseCode.SUSPENDED, ref=ref)
        except BadFrame as error:
            self._refuse("not_authenticated", error.detail, CloseCode.NOT_AUTHENTICATED, ref=ref)
        except RateLimited as error:
            self._refuse("rate_limited", str(error), CloseCode.TOO_FAST, ref=ref, retry_after=error.verdict.retry_after)
        except (OperationalError, InterfaceError, RedisError) as error:
            self._give_up(error)
        return False

    async def _count_opening(self, limit: Limit, subject: object) -> None:
        """Count a socket that is opened; RateLimited if there were too many. Where nobody is known, nothing counts."""
        if subject and not (verdict := await consume_async(get_channel_layer().redis(), [(limit, subject)])).allowed:
            raise RateLimited(verdict)

    def _belong_to(self, session: Session) -> None:
        """Keep of a session, its person and the handshake only what an idle socket needs."""
        self.user_id, self.session_id = Id(str(session.user_id)), session.pk
        self._me = own_json(session.user)
        self.scope["headers"].clear()

    async def _first_frame(self) -> str | None:
        # The device has so long; the database may take its time.
        async with asyncio.timeout(CONNECT_SECONDS):
            return await self._next()

    async def _session_of(self, text: str | None) -> Session:
        frame = commands.read(text)
        if not isinstance(frame, Connect):
            raise Unauthenticated("Sign in by a connect frame first.", "not_authenticated")
        self._catches_up |= frame.catch_up
        return await in_thread(session_of)(frame.token)

    def _refuse(self, code: str, detail: str, close: int, *, ref: str | None = None, **more: Any) -> None:
        self.deliver(_error_frame(code, detail, ref, **more))
        self._send_queue.close(close)

    def _give_up(self, error: Exception) -> None:
        logger.error("a socket could not be served: %s", type(error).__name__)
        self._ended = True
        self._send_queue.release()
        self._refuse("unavailable", "The server can't serve just now. Please come back.", CloseCode.RESTART)

    # Serving

    async def _serve(self) -> None:
        self._frames, self._typing = Frames(quotas.FRAMES), Frames(quotas.TYPING)
        self._sends, self._calls = Pace(quotas.SEND, self.user_id), Pace(quotas.CALLS, self.user_id)
        # To look these up for every frame takes longer than what is asked of them.
        self.hub, self.batcher, self.group_commit = hub(), watermark_batcher(), group_commit()
        self._connection.on_restart = self._on_restart
        try:
            if not await hub().presence.enter(self):
                self._refuse("rate_limited", f"You have {SOCKETS_MOST} sockets already.", CloseCode.TOO_MANY_SOCKETS)
                return
            if self._catches_up:
                await self._calls.require(quotas.CATCH_UP_COST)
            await self._begin()
            while True:
                text = await self._next()
                # Whoever does not close after being told so is not listened to any more.
                if not self._ended:
                    await self._obey(text)
        except RateLimited:
            self._refuse("too_fast", "You catch up too often. Come back later, or without it.", CloseCode.TOO_FAST)
        finally:
            hub().detach(self)

    async def _begin(self) -> None:
        """Greet the device and tell it what it missed; what happens meanwhile comes behind that."""
        self._send_queue.hold()
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                await hub().attach(self)
            await self._send_queue.put_ahead(encode({"type": "connected", "data": self._greeting()}))
            if self._catches_up:
                await self._catch_up()
        except Exception as error:
            self._give_up(error)
        self._send_queue.release()

    async def _catch_up(self) -> None:
        """Send what was missed, each page when the device has taken the one before.

        A device whose turn does not come is left to fetch for itself.
        """
        async with turn(self.user_id) as is_ours:
            missed = await in_thread(as_person)(self.user_id, Missed)
            while is_ours and self._send_queue.is_open:
                messages = await in_thread(as_person)(self.user_id, missed.next_page)
                for message in messages:
                    await self._send_queue.put_ahead(created(message))
                if not messages:
                    break
                await self._send_queue.until_free()
        for frame in missed.end():
            await self._send_queue.put_ahead(frame)

    async def _next(self) -> str | None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        return message.get("text")

    def _greeting(self) -> dict[str, Any]:
        return {
            "user": self.__dict__.pop("_me"),
            "session_id": str(self.session_id),
            "server_time": timestamp(timezone.now()),
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "limits": limits(),
            "feature_level": settings.FEATURE_LEVEL,
        }

    async def _obey(self, text: str | None) -> None:
        ref = None
        try:
            self._frames.require()
            frame = commands.read(text)
            ref = frame.ref
            # A message counts as one, everything else by its size, as calls do.
            if isinstance(frame, MessageSend):
                await self._sends.require()
            elif isinstance(frame, Typing):
                self._typing.require()
            elif not isinstance(frame, commands.Signal):
                await self._calls.require(quotas.CALLS.cost_of(len(text or "")))
            await obey(self, frame)
        except BadFrame as error:
            self.deliver(commands.error(error, error.ref or ref))
            if error.abusive and self._bad_frames.is_full():
                self.end(CloseCode.ABUSE, "bad_frame", "Too many frames that make no sense.")
        except RateLimited as error:
            self.deliver(commands.error(error, ref or commands.ref_of(text)))
            if self._hasty_frames.is_full():
                self.end(CloseCode.TOO_FAST, "too_fast", "Far too many frames. Come back, and more slowly.")
        except Exception as error:
            self.deliver(commands.error(error, ref))

    # What commands need

    async def require_call(self, cost: int = 1) -> None:
        """Count something that costs as much as a call, or as some; RateLimited if there were too many."""
        if cost:
            await self._calls.require(cost)

    def answer_send(self, ref: str | None, result: SendResult | Exception) -> None:
        """Answer a send that was under way."""
        self.under_way -= 1
        if isinstance(result, Exception):
            self.deliver(commands.error(result, ref))
        else:
            self.acknowledge(ref, result.message)
        if self._answers is not None and not self._answers.done():
            self._answers.set_result(None)

    async def next_answer(self) -> None:
        """Wait until a send that is under way is answered."""
        if self._answers is None or self._answers.done():
            self._answers = asyncio.get_running_loop().create_future()
        # More than one may wait for it, and one of them give up.
        await asyncio.shield(self._answers)

    def acknowledge(self, ref: str | None, message: MessageJSON) -> None:
        if ref is not None:
            self.deliver(commands.ack(ref, message))

    # The end of the server

    def _on_restart(self) -> None:
        self._ended = True
        self._shutdown = asyncio.get_running_loop().create_task(self._shut_down())

    async def _shut_down(self) -> None:
        """Answer what is on its way to its commit, then send the device elsewhere."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while self.under_way:
                    await self.next_answer()
        self.end(CloseCode.RESTART, "unavailable", "This server stops. Please come back.")


def _error_frame(code: str, detail: str, ref: str | None = None, **more: Any) -> bytes:
    return encode({"type": "error", **commands.answered(ref), "data": {"code": code, "detail": detail, **more}})
