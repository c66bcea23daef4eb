"""The ASGI application in front of Django: it answers the plain reads, and hands everything else on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import psycopg
from channels.layers import get_channel_layer
from django.utils.text import compress_string

from accounts.auth.tokens import AccessClaims
from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.rate_limits import consume_async, quotas
from chatproject.rest.views import CHARGED
from chatproject.server.compression import BLUR, COMPRESSED_FROM, accepts_gzip
from chatproject.server.django_handler import threads
from messaging.fast_reads.connections import read_connections
from messaging.fast_reads.headers import Header, Kind, LearnedHeaders, headers_of, kind_of
from messaging.fast_reads.messages import MessageReads
from messaging.fast_reads.queries import Query, query_of
from messaging.fast_reads.tokens import claims_of

logger = logging.getLogger(__name__)

HANDED_ON = frozenset({b"cookie", b"content-length", b"transfer-encoding"})
"""Headers whose requests are left to the view set."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class FastReads:
    """Answers pages of history and single messages; `app` is Django."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._headers = LearnedHeaders()
        self._reads = OnePerLoop(MessageReads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = query_of(scope)
        headers = dict(scope["headers"])
        claims = claims_of(headers.get(b"authorization", b"")) if query and _has_plain_head(scope, headers) else None
        if query is None or claims is None:
            await self._app(scope, receive, send)
            return
        kind = kind_of(type(query).__name__, scope, headers)
        learned = self._headers.get(kind)
        if learned is None:
            await self._app(scope, receive, self._learning(kind, send))
        elif not await self._answered(query, claims, headers, learned, scope, send):
            await self._app(scope, receive, send)

    def _learning(self, kind: Kind, send: Send) -> Send:
        """Return a `send` that learns the headers of Django's answer."""

        async def send_and_learn(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._headers.learn(kind, message["headers"])
            await send(message)

        return send_and_learn

    async def _answered(
        self,
        query: Query,
        claims: AccessClaims,
        headers: Mapping[bytes, bytes],
        learned: Sequence[Header],
        scope: Scope,
        send: Send,
    ) -> bool:
        """Answer a request; False if it has to be handed on."""
        verdict = await consume_async(get_channel_layer().redis(), [(quotas.CALLS, claims.user_id)])
        scope[CHARGED] = verdict
        body = await self._read(query, claims) if verdict.allowed else None
        if body is None:
            return False
        sent = await _compressed(body) if _accepts_gzip(headers) and len(body) >= COMPRESSED_FROM else body
        start = headers_of(learned, headers, body, sent=sent, limits=verdict.headers())
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": sent})
        return True

    async def _read(self, query: Query, claims: AccessClaims) -> bytes | None:
        """Read what is asked for; None if there is none for this person, and when the database does not answer."""
        try:
            async with read_connections().one() as connection:
                return await self._reads().read(query, by=claims, on=connection)
        except (psycopg.Error, OSError, TimeoutError) as error:
            logger.warning("a fast read failed: %s", type(error).__name__)
            return None


def _has_plain_head(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a request has each header once, no cookie, and no body, which costs more of the rate limit."""
    return len(headers) == len(scope["headers"]) and headers.keys().isdisjoint(HANDED_ON)


def _accepts_gzip(headers: Mapping[bytes, bytes]) -> bool:
    return accepts_gzip(headers.get(b"accept-encoding", b"").decode("latin1"))


async def _compressed(body: bytes) -> bytes:
    """Compress a body in a thread, as `Compression` does."""
    compress = partial(compress_string, body, max_random_bytes=BLUR)
    return await asyncio.get_running_loop().run_in_executor(threads(), compress)
