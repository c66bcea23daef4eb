"""The consumer of a WebSocket: it receives frames, passes them to their handlers, and delivers frames to the device."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import Session
from accounts.people.profiles import own_json
from chatproject.core.announced_limits import limits
from chatproject.core.database import in_thread
from chatproject.core.ids import Id, uuid7
from chatproject.core.logging import socket_id
from chatproject.core.rate_limits import RateLimited, quotas
from chatproject.core.realtime import encode, timestamp
from chatproject.server.close_codes import CloseCode
from chatproject.server.connection import EXTENSION, Connection
from messaging.messages.group_commit import group_commit
from messaging.messages.json import MessageJSON
from messaging.messages.outcome import SendResult
from messaging.presence.socket_limit import SOCKETS_PER_PERSON
from messaging.realtime.hub import hub
from messaging.receipts.batcher import watermark_batcher
from messaging.socket import commands
from messaging.socket.catch_up import CatchUp, catch_up_lock, created_frame
from messaging.socket.commands import BadFrame, MessageSend, Typing
from messaging.socket.handlers import handle, run_as
from messaging.socket.rate_limits import LeasedLimit, SocketLimit, ViolationCounter
from messaging.socket.send_queue import AsgiConnection, SendQueue
from messaging.socket.sign_in import SignIn, SignInRefused

logger = logging.getLogger(__name__)

ATTACH_SECONDS = 10.0
CLIENT_HEARTBEAT_SECONDS = 25
SHUTDOWN_SECONDS = 1.0
"""How long a server that stops waits for the results of the sends of a socket."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Disconnected(Exception):
    """The device has disconnected."""


class ChatConsumer(AsyncConsumer):  # type: ignore[misc]
    """The socket of one device. The hub delivers to it directly, so it is in no group of the channel layer."""

    user_id: UUID
    session_id: UUID

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve the socket from its handshake until it is closed.

        Stock consumers close old database connections after every frame, which takes a thread each time. This one does
        not use `dispatch`; old connections are closed where the database is used.
        """
        socket_id.set(str(uuid7()))
        self.scope = scope
        self._receive = receive
        self._connection: Connection = scope.get("extensions", {}).get(EXTENSION) or AsgiConnection(send)
        self._send_queue = SendQueue(self._connection, on_overflow=self._on_overflow)
        self._ended = False
        self.pending_sends = 0
        self._next_result: asyncio.Future[None] | None = None
        self._bad_frames = ViolationCounter(most=20, seconds=60)
        self._rate_violations = ViolationCounter(most=1000, seconds=10)
        try:
            await receive()
            await send({"type": "websocket.accept"})
            if await self._sign_in():
                await self._serve()
        except Disconnected:
            pass

    # What the hub calls

    def deliver(self, frame: bytes) -> None:
        """Send an encoded frame."""
        self._send_queue.put(frame)

    def deliver_if_idle(self, frame: bytes) -> bool:
        """Send a frame, or drop it if others are queued already; return whether it was sent."""
        return self._send_queue.put_if_idle(frame)

    def end(self, code: int, error: str, detail: str) -> None:
        """Send an error frame, then close."""
        self.deliver(_error_frame(error, detail))
        self._send_queue.close(code)
        self._ended = True
        hub().detach(self)

    def _on_overflow(self) -> None:
        self._send_queue.abandon(
            _error_frame("too_slow", "You take too long to read. Come back and catch up."), CloseCode.TOO_SLOW
        )
        self._ended = True
        hub().detach(self)

    # Signing in

    async def _sign_in(self) -> bool:
        """Find out whose socket this is; close it and return False if that fails."""
        sign_in = SignIn(self.scope, next_frame=self._next)
        try:
            self._keep(await sign_in.session())
        except SignInRefused as refused:
            self._refuse(refused.code, refused.detail, refused.close_code, ref=refused.ref, **refused.more)
            return False
        except (OperationalError, InterfaceError, RedisError) as error:
            self._close_as_unavailable(error)
            return False
        self._catches_up = sign_in.catches_up
        return True

    def _keep(self, session: Session) -> None:
        """Keep only what an idle socket needs of its session, person and handshake, to save memory."""
        self.user_id, self.session_id = Id(str(session.user_id)), session.pk
        self._own_json = own_json(session.user)
        self.scope["headers"].clear()

    def _refuse(self, code: str, detail: str, close_code: int, *, ref: str | None = None, **more: Any) -> None:
        self.deliver(_error_frame(code, detail, ref, **more))
        self._send_queue.close(close_code)

    def _close_as_unavailable(self, error: Exception) -> None:
        logger.error("a socket could not be served: %s", type(error).__name__)
        self._ended = True
        self._send_queue.release()
        self._refuse("unavailable", "The server can't serve just now. Please come back.", CloseCode.RESTART)

    # Serving

    async def _serve(self) -> None:
        self._frame_limit, self._typing_limit = SocketLimit(quotas.FRAMES), SocketLimit(quotas.TYPING)
        self._send_limit = LeasedLimit(quotas.SEND, self.user_id)
        self._call_limit = LeasedLimit(quotas.CALLS, self.user_id)
        # They are kept here because looking them up for every frame would take longer than using them.
        self.hub, self.batcher, self.group_commit = hub(), watermark_batcher(), group_commit()
        self._connection.on_restart = self._on_restart
        try:
            if not await hub().presence.enter(self):
                self._refuse(
                    "rate_limited", f"You have {SOCKETS_PER_PERSON} sockets already.", CloseCode.TOO_MANY_SOCKETS
                )
                return
            if self._catches_up:
                await self._call_limit.require(quotas.CATCH_UP_COST)
            await self._attach()
            while True:
                text = await self._next()
                # Frames that arrive after the close frame was sent are ignored.
                if not self._ended:
                    await self._handle(text)
        except RateLimited:
            self._refuse("too_fast", "You catch up too often. Come back later, or without it.", CloseCode.TOO_FAST)
        finally:
            hub().detach(self)

    async def _attach(self) -> None:
        """Attach the socket to the hub; send the greeting and missed messages before events that arrive meanwhile."""
        self._send_queue.hold()
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                await hub().attach(self)
            await self._send_queue.put_ahead(encode({"type": "connected", "data": self._greeting()}))
            if self._catches_up:
                await self._catch_up()
        except Exception as error:
            self._close_as_unavailable(error)
        self._send_queue.release()

    async def _catch_up(self) -> None:
        """Send what was missed, each page when the device has received the one before.

        A device that did not get the lock in time is sent no messages; it is told what to fetch.
        """
        async with catch_up_lock(self.user_id) as is_locked:
            catch_up = await in_thread(run_as)(self.user_id, CatchUp)
            while is_locked and self._send_queue.is_open:
                messages = await in_thread(run_as)(self.user_id, catch_up.next_page)
                for message in messages:
                    await self._send_queue.put_ahead(created_frame(message))
                if not messages:
                    break
                await self._send_queue.until_free()
        for frame in catch_up.final_frames():
            await self._send_queue.put_ahead(frame)

    async def _next(self) -> str | None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        return message.get("text")

    def _greeting(self) -> dict[str, Any]:
        return {
            "user": self.__dict__.pop("_own_json"),
            "session_id": str(self.session_id),
            "server_time": timestamp(timezone.now()),
            "heartbeat_seconds": CLIENT_HEARTBEAT_SECONDS,
            "limits": limits(),
            "feature_level": settings.FEATURE_LEVEL,
            "generation": self.hub.generation,
        }

    async def _handle(self, text: str | None) -> None:
        ref = None
        try:
            self._frame_limit.require()
            frame = commands.decode(text)
            ref = frame.ref
            # A message counts as one send; other commands count as calls, by their size.
            if isinstance(frame, MessageSend):
                await self._send_limit.require()
            elif isinstance(frame, Typing):
                self._typing_limit.require()
            elif not isinstance(frame, commands.Signal):
                await self._call_limit.require(quotas.CALLS.cost_of(len(text or "")))
            await handle(self, frame)
        except BadFrame as error:
            self.deliver(commands.error_frame(error, error.ref or ref))
            if error.abusive and self._bad_frames.record():
                self.end(CloseCode.ABUSE, "bad_frame", "Too many frames that make no sense.")
        except RateLimited as error:
            self.deliver(commands.error_frame(error, ref or commands.ref_of(text)))
            if self._rate_violations.record():
                self.end(CloseCode.TOO_FAST, "too_fast", "Far too many frames. Come back, and more slowly.")
        except Exception as error:
            self.deliver(commands.error_frame(error, ref))

    # What commands need

    async def require_call(self, cost: int = 1) -> None:
        """Count a command towards the limit of calls, as one call or several; RateLimited if there were too many."""
        if cost:
            await self._call_limit.require(cost)

    def answer_send(self, ref: str | None, result: SendResult | Exception) -> None:
        """Answer a pending send."""
        self.pending_sends -= 1
        if isinstance(result, Exception):
            self.deliver(commands.error_frame(result, ref))
        else:
            self.acknowledge(ref, result.message)
        if self._next_result is not None and not self._next_result.done():
            self._next_result.set_result(None)

    async def next_answer(self) -> None:
        """Wait until a pending send is answered."""
        if self._next_result is None or self._next_result.done():
            self._next_result = asyncio.get_running_loop().create_future()
        # Several tasks may wait for it; a timeout of one must not cancel it for the others.
        await asyncio.shield(self._next_result)

    def acknowledge(self, ref: str | None, message: MessageJSON) -> None:
        if ref is not None:
            self.deliver(commands.ack_frame(ref, message))

    # The end of the server

    def _on_restart(self) -> None:
        self._ended = True
        self._shutdown = asyncio.get_running_loop().create_task(self._shut_down())

    async def _shut_down(self) -> None:
        """Answer the pending sends, then close, so that the device connects to another server."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                while self.pending_sends:
                    await self.next_answer()
        self.end(CloseCode.RESTART, "unavailable", "This server stops. Please come back.")


def _error_frame(code: str, detail: str, ref: str | None = None, **more: Any) -> bytes:
    return encode({"type": "error", **commands.ref_field(ref), "data": {"code": code, "detail": detail, **more}})
