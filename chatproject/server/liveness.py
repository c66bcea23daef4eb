"""`/healthz`, answered before Django: whatever requests wait for, a process that runs says so at once."""

from collections.abc import Awaitable, Callable
from typing import Any

from chatproject.core.ids import uuid7

PATH = "/healthz"
BODY = b"ok\n"
HEADERS = [
    (b"content-type", b"text/plain"),
    (b"content-length", str(len(BODY)).encode()),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]

Scope = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


class Liveness:
    """Answers `GET /healthz`; everything else is the application's."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["path"] != PATH or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        headers = [*HEADERS, (b"x-request-id", str(uuid7()).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY if scope["method"] == "GET" else b""})
