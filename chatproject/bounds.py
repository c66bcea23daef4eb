"""A bound on request bodies, before anything is kept: Django would write whatever comes to the disk first."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest

from accounts.ids import uuid7

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
        taken = 0

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise TooLarge
            return message

        try:
            if _declared(scope) > most:
                raise TooLarge
            await self._app(scope, receive_some, send)
        except TooLarge:
            await _refuse(scope, send)


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
    id = str(uuid7())
    detail = f"A request has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes; files go straight to the storage."
    problem = {"type": "urn:parley:problem:too_large", "title": "Too large", "status": 413, "detail": detail}
    is_api = scope["path"].startswith("/api/")
    body = orjson.dumps({**problem, "code": "too_large", "request_id": id, "errors": []}) if is_api else detail.encode()
    headers = {
        "Content-Type": "application/problem+json" if is_api else "text/plain",
        "Content-Length": str(len(body)),
        "X-Request-ID": id,
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 413, "headers": encoded})
    await send({"type": "http.response.body", "body": body})
