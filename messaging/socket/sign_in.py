"""Signing in a socket: by the credentials of its handshake, or by a `connect` frame within five seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from channels.layers import get_channel_layer

from accounts.auth.tokens import SocketCredentials, Unauthenticated, session_of
from accounts.models import Session
from chatproject.core.client_address import address_of
from chatproject.core.database import in_thread
from chatproject.core.errors import Suspended
from chatproject.core.rate_limits import Limit, RateLimited, consume_async, quotas
from chatproject.server.close_codes import CloseCode
from messaging.socket import commands
from messaging.socket.commands import BadFrame, Connect

CONNECT_SECONDS = 5.0
CLOSE_CODES = {"token_expired": CloseCode.TOKEN_EXPIRED, "session_revoked": CloseCode.SESSION_ENDED}


class SignInRefused(Exception):
    """A socket was not signed in: the error that it is sent, and the code with which it is closed."""

    def __init__(
        self, code: str, detail: str, close_code: CloseCode, *, ref: str | None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.close_code, self.ref = code, detail, close_code, ref
        self.more = {} if retry_after is None else {"retry_after": retry_after}


class SignIn:
    """The sign-in of one socket. `catches_up` tells whether the device asked to be sent what it missed."""

    def __init__(self, scope: dict[str, Any], *, next_frame: Callable[[], Awaitable[str | None]]) -> None:
        self._scope = scope
        self._next_frame = next_frame
        self._ref: str | None = None
        self.catches_up = "1" in parse_qs(scope["query_string"].decode("latin1")).get("catch_up", ())

    async def session(self) -> Session:
        """Return the session to which the socket belongs; SignInRefused if there is none, or sockets open too fast."""
        try:
            return await self._authenticate()
        except TimeoutError:
            detail = "Nobody signed in within five seconds."
            raise self._refused("not_authenticated", detail, CloseCode.NOT_AUTHENTICATED) from None
        except Unauthenticated as error:
            code = str(error.get_codes())
            close_code = CLOSE_CODES.get(code, CloseCode.NOT_AUTHENTICATED)
            raise self._refused(code, str(error.detail), close_code) from None
        except Suspended as error:
            raise self._refused(error.code, error.detail, CloseCode.SUSPENDED) from None
        except BadFrame as error:
            raise self._refused("not_authenticated", error.detail, CloseCode.NOT_AUTHENTICATED) from None
        except RateLimited as error:
            retry_after = error.verdict.retry_after
            raise self._refused("rate_limited", str(error), CloseCode.TOO_FAST, retry_after=retry_after) from None

    async def _authenticate(self) -> Session:
        await _count_opening(quotas.SOCKETS_OF_ADDRESS, address_of(self._scope))
        session = await in_thread(SocketCredentials(self._scope).session)()
        if session is None:
            session = await self._session_of_first_frame()
        await _count_opening(quotas.SOCKETS, session.user_id)
        return session

    async def _session_of_first_frame(self) -> Session:
        # The time limit is for the device; a slow database does not count towards it.
        async with asyncio.timeout(CONNECT_SECONDS):
            text = await self._next_frame()
        self._ref = commands.ref_of(text)
        frame = commands.decode(text)
        if not isinstance(frame, Connect):
            raise Unauthenticated("Sign in by a connect frame first.", "not_authenticated")
        self.catches_up |= frame.catch_up
        return await in_thread(session_of)(frame.token)

    def _refused(
        self, code: str, detail: str, close_code: CloseCode, *, retry_after: float | None = None
    ) -> SignInRefused:
        return SignInRefused(code, detail, close_code, ref=self._ref, retry_after=retry_after)


async def _count_opening(limit: Limit, subject: object) -> None:
    """Count the opening of a socket; RateLimited if there were too many. Without a known address nothing is counted."""
    if subject and not (verdict := await consume_async(get_channel_layer().redis(), [(limit, subject)])).allowed:
        raise RateLimited(verdict)
