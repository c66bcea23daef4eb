"""The ASGI application in front of Django: it answers the plain reads, and hands everything else on."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import psycopg
from channels.layers import get_channel_layer
from django.utils.text import compress_string

from chatproject.core.one_per_loop import OnePerLoop
from chatproject.core.pagination import PAGE_SIZE_MAX
from chatproject.core.rate_limits import consume_async, quotas
from chatproject.rest.views import CHARGED
from chatproject.server.compression import BLUR, COMPRESSED_FROM, accepts_gzip
from chatproject.server.django_handler import threads
from messaging.fast_reads.connections import read_connections
from messaging.fast_reads.headers import Header, Kind, LearnedHeaders, headers_of, kind_of
from messaging.fast_reads.history import Histories, PageQuery
from messaging.fast_reads.tokens import Claims, claims_of
from messaging.sync.history import HISTORY_PAGE_SIZE

logger = logging.getLogger(__name__)

ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
HISTORY = re.compile(rf"/api/v1/messages/conversation/({ID})")
HANDED_ON = frozenset({b"cookie", b"content-length", b"transfer-encoding"})
"""Headers whose requests are left to the view set."""
NUMBER = re.compile(r"[0-9]{1,18}")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class FastReads:
    """Answers pages of history; `app` is Django."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._headers = LearnedHeaders()
        self._histories = OnePerLoop(Histories)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = query_of(scope)
        headers = dict(scope["headers"])
        claims = claims_of(headers.get(b"authorization", b"")) if query and _has_plain_head(scope, headers) else None
        if query is None or claims is None:
            await self._app(scope, receive, send)
            return
        kind = kind_of("history", scope, headers)
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
        query: PageQuery,
        claims: Claims,
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
        limits = verdict.headers()
        start = headers_of(learned, headers, sent, limits=limits, size=len(body))
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": sent})
        return True

    async def _read(self, query: PageQuery, claims: Claims) -> bytes | None:
        """Read a page; None if there is none for this person, and when the database does not answer."""
        try:
            async with read_connections().one() as connection:
                return await self._histories().page(query, by=claims, on=connection)
        except (psycopg.Error, OSError, TimeoutError) as error:
            logger.warning("a fast read failed: %s", type(error).__name__)
            return None


def query_of(scope: Scope) -> PageQuery | None:
    """Return which page a request asks for; None if it asks for something else, or in another way."""
    found = HISTORY.fullmatch(scope["path"]) if scope["method"] == "GET" else None
    if found is None:
        return None
    pairs = parse_qsl(scope["query_string"].decode("latin1"), keep_blank_values=True)
    given = {name: int(value) for name, value in pairs if NUMBER.fullmatch(value)}
    is_plain = len(given) == len(pairs) and given.keys() <= {"limit", "before", "after"}
    limit = min(given.pop("limit", HISTORY_PAGE_SIZE), PAGE_SIZE_MAX)
    if not is_plain or len(given) > 1 or limit == 0:
        return None
    return PageQuery(UUID(found[1]), limit, before=given.get("before"), after=given.get("after"))


def _has_plain_head(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a request has each header once, no cookie, and no body, which costs more of the rate limit."""
    return len(headers) == len(scope["headers"]) and headers.keys().isdisjoint(HANDED_ON)


def _accepts_gzip(headers: Mapping[bytes, bytes]) -> bool:
    return accepts_gzip(headers.get(b"accept-encoding", b"").decode("latin1"))


async def _compressed(body: bytes) -> bytes:
    """Compress a body in a thread, as `Compression` does."""
    compress = partial(compress_string, body, max_random_bytes=BLUR)
    return await asyncio.get_running_loop().run_in_executor(threads(), compress)
