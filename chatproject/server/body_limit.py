"""A bound on request bodies, before anything is kept: Django would write whatever comes to the disk first."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest

from chatproject.core.ids import uuid7

DISCARDED_MOST = 8 * 1024 * 1024
"""Bytes that are still read, and thrown away, after a request was refused."""
DISCARDING_SECONDS = 30.0
SILENCE_SECONDS = 5.0
"""Seconds without a byte after which nothing more is expected."""

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLarge(Exception):
    """More came than is read."""


class BoundedBody:
    """Answer 413 to requests over `DATA_UPLOAD_MAX_MEMORY_SIZE`, by their word or as they come."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        taken, more_comes = 0, True

        async def receive_some() -> Message:
            nonlocal taken, more_comes
            message = await receive()
            taken += len(message.get("body", b""))
            more_comes = message.get("more_body", False)
            if taken > most:
                raise TooLarge
            return message

        try:
            if _declared(scope) > most:
                raise TooLarge
            await self._app(scope, receive_some, send)
        except TooLarge:
            await _refuse(scope, send)
            if more_comes:
                await _discard(receive)
            # The server closes the connection behind this; any earlier, what is unread would cut off the answer.
            await send({"type": "http.response.body", "body": b""})


def _declared(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0


def body_size(request: HttpRequest) -> int:
    """How many bytes the body of a request has; one that does not say so may have as many as are read."""
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
    """Read what still comes, up to a bound: whoever sends it would otherwise not get to read the answer."""
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
    """Write a refusal that ends the connection, below Django: a problem document for the API, else plain text."""
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
