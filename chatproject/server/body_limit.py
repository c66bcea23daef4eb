"""A limit on the size of request bodies, applied before Django, which would first write the whole body to disk."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest

from chatproject.core.ids import uuid7

DISCARDED_MOST = 8 * 1024 * 1024
"""Bytes that are still read and discarded after a request was refused."""
DISCARDING_SECONDS = 30.0
SILENCE_SECONDS = 5.0
"""Seconds without a byte after which reading ends."""

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """The body is larger than the limit."""


class BoundedBody:
    """Answer 413 to bodies over `DATA_UPLOAD_MAX_MEMORY_SIZE`, by their Content-Length or while reading them."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        received, has_more = 0, True

        async def receive_limited() -> Message:
            nonlocal received, has_more
            message = await receive()
            received += len(message.get("body", b""))
            has_more = message.get("more_body", False)
            if received > most:
                raise TooLarge
            return message

        try:
            if _declared(scope) > most:
                raise TooLarge
            await self._app(scope, receive_limited, send)
        except TooLarge:
            await _refuse(scope, send)
            if has_more:
                await _discard(receive)
            # The server closes the connection after this. Earlier, unread data would reset it before the client has
            # read the answer.
            await send({"type": "http.response.body", "body": b""})


def _declared(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def body_size(request: HttpRequest) -> int:
    """Return the size of a request body in bytes; the limit if the request does not declare it."""
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    text = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(text) if text.isdecimal() else 0


async def _refuse(scope: Scope, send: Send) -> None:
    detail = f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes; files go straight to the storage."
    headers, body = refusal(scope["path"], status=413, code="too_large", title="Too large", detail=detail)
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _discard(receive: Receive) -> None:
    """Read what the client still sends, up to a limit; otherwise the client could not read the answer."""
    left = DISCARDED_MOST
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARDING_SECONDS):
            while left > 0:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def refusal(path: str, *, status: int, code: str, title: str, detail: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Write a refusal that closes the connection, without Django: a problem document for the API, else plain text."""
    id = str(uuid7())
    is_api = path.startswith("/api/")
    problem = {"type": f"urn:parley:problem:{code}", "title": title, "status": status, "detail": detail}
    body = orjson.dumps({**problem, "code": code, "request_id": id, "errors": []}) if is_api else detail.encode()
    headers = {
        "Content-Type": "application/problem+json" if is_api else "text/plain",
        "Content-Length": str(len(body)),
        "X-Request-ID": id,
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()], body
