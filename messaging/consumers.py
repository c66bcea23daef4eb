"""The WebSocket: one socket a device. It reads frames, hands them over and delivers; it never decides."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import UUID

from channels.consumer import AsyncConsumer
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.ids import uuid7
from accounts.models import Session
from accounts.profiles import own_json
from accounts.realtime import encode, timestamp
from accounts.tokens import SocketCredentials, Unauthenticated, session_of
from chatproject.about import limits
from chatproject.database import in_thread
from chatproject.limits import CALLS, SEND
from chatproject.logs import socket_id
from messaging import protocol
from messaging.append import Draft
from messaging.events import MessageJSON
from messaging.hub import hub
from messaging.lane import lane
from messaging.log import Said
from messaging.obey import obey
from messaging.outgoing import Outgoing
from messaging.pace import Pace
from messaging.protocol import BadFrame, Connect, MessageSend

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
ATTACH_SECONDS = 10.0
HEARTBEAT_SECONDS = 25
IN_FLIGHT_MOST = 64
"""Sends of one socket that may wait for their commit; more are read only when these are answered."""
BAD_FRAMES_A_MINUTE = 20

CLOSE_SLOW = 4000
CLOSE_EXPIRED = 4001
CLOSE_RESTART = 1012
CLOSE_ABUSE = 4500
CLOSE_UNAUTHENTICATED = 4501
CLOSE_ENDED = 4503
CLOSES = {"token_expired": CLOSE_EXPIRED, "session_revoked": CLOSE_ENDED}

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Disconnected(Exception):
    """The other side has gone."""


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
        self._outgoing = Outgoing(send, on_slow=self._on_slow)
        self._ended = False
        self._in_flight: set[asyncio.Future[Said]] = set()
        self._bad_frames: deque[float] = deque(maxlen=BAD_FRAMES_A_MINUTE)
        try:
            await receive()
            await send({"type": "websocket.accept"})
            session = await self._sign_in()
            if session is not None:
                await self._serve(session)
        except Disconnected:
            pass

    # What the hub calls

    def deliver(self, frame: str) -> None:
        """Send a ready frame."""
        self._outgoing.put(frame)

    def mention(self, frame: str) -> None:
        """Send a ready frame that nobody misses, unless others wait already."""
        self._outgoing.mention(frame)

    def end(self, code: int, error: str, detail: str) -> None:
        """Say why, then close for good."""
        self.deliver(encode({"type": "error", "data": {"code": error, "detail": detail}}))
        self._outgoing.close(code)
        self._ended = True
        hub().detach(self)

    def _on_slow(self) -> None:
        hub().detach(self)
        asyncio.get_running_loop().call_soon(self._outgoing.abandon, CLOSE_SLOW)

    # Signing in

    async def _sign_in(self) -> Session | None:
        """Find out whose socket this is: by what came with the handshake, or by a first frame within five seconds."""
        try:
            session = await in_thread(SocketCredentials(self.scope).session)()
            return session or await asyncio.wait_for(self._first_frame(), CONNECT_SECONDS)
        except TimeoutError:
            self._refuse("not_authenticated", "Nobody signed in within five seconds.", CLOSE_UNAUTHENTICATED)
        except Unauthenticated as error:
            code = str(error.get_codes())
            self._refuse(code, str(error.detail), CLOSES.get(code, CLOSE_UNAUTHENTICATED))
        except BadFrame as error:
            self._refuse("not_authenticated", error.detail, CLOSE_UNAUTHENTICATED)
        except (OperationalError, InterfaceError, RedisError) as error:
            self._give_up(error)
        return None

    async def _first_frame(self) -> Session:
        frame = protocol.read(await self._next())
        if not isinstance(frame, Connect):
            raise Unauthenticated("Sign in by a connect frame first.", "not_authenticated")
        return await in_thread(session_of)(frame.token)

    def _refuse(self, code: str, detail: str, close: int) -> None:
        self.deliver(encode({"type": "error", "data": {"code": code, "detail": detail}}))
        self._outgoing.close(close)

    def _give_up(self, error: Exception) -> None:
        logger.error("a socket could not be served: %s", type(error).__name__)
        self._refuse("unavailable", "The server can't serve just now. Please come back.", CLOSE_RESTART)

    # Serving

    async def _serve(self, session: Session) -> None:
        self.user, self.user_id, self.session_id = session.user, session.user_id, session.pk
        self._sends, self._calls = Pace(SEND, self.user_id), Pace(CALLS, self.user_id)
        try:
            try:
                await asyncio.wait_for(hub().attach(self), ATTACH_SECONDS)
            except Exception as error:
                self._give_up(error)
                return
            self.deliver(encode({"type": "connected", "data": self._greeting()}))
            while True:
                text = await self._next()
                # Whoever does not close after being told so is not listened to any more.
                if not self._ended:
                    await self._obey(text)
        finally:
            hub().detach(self)

    async def _next(self) -> str | None:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        return message.get("text")

    def _greeting(self) -> dict[str, Any]:
        return {
            "user": own_json(self.user),
            "session_id": str(self.session_id),
            "server_time": timestamp(timezone.now()),
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "limits": limits(),
            "feature_level": settings.FEATURE_LEVEL,
        }

    async def _obey(self, text: str | None) -> None:
        ref = None
        try:
            frame = protocol.read(text)
            ref = frame.ref
            await (self._sends if isinstance(frame, MessageSend) else self._calls).require()
            await obey(self, frame)
        except BadFrame as error:
            self.deliver(protocol.error(error, error.ref or ref))
            if error.abusive:
                self._count_bad_frame()
        except Exception as error:
            self.deliver(protocol.error(error, ref))

    # What commands need

    async def submit(self, ref: str | None, draft: Draft) -> None:
        answer = lane().submit(draft)
        self._in_flight.add(answer)
        answer.add_done_callback(partial(self._answered, ref))
        if len(self._in_flight) >= IN_FLIGHT_MOST:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)

    def _answered(self, ref: str | None, answer: "asyncio.Future[Said]") -> None:
        self._in_flight.discard(answer)
        if answer.cancelled():
            return
        if (error := answer.exception()) is not None:
            self.deliver(protocol.error(error, ref))  # type: ignore[arg-type]
        else:
            self.acknowledge(ref, answer.result().message)

    def acknowledge(self, ref: str | None, message: MessageJSON) -> None:
        if ref is not None:
            self.deliver(protocol.ack(ref, message))

    def _count_bad_frame(self) -> None:
        now = time.monotonic()
        self._bad_frames.append(now)
        if len(self._bad_frames) == BAD_FRAMES_A_MINUTE and now - self._bad_frames[0] < 60:
            self.end(CLOSE_ABUSE, "bad_frame", "Too many frames that make no sense.")
