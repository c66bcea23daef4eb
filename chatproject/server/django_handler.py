"""Django's requests: each runs whole in one thread of a standing pool, and the event loop only reads and writes bytes.

Django's own ASGI handler starts a thread for each request, and another to end it; while a thread starts, the event loop
stands still, and with it every socket. Between the loop and synchronous middleware it hops several times.
"""

import io
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from chatproject.core.one_per_loop import OnePerLoop

THREADS = 48
"""How many requests run at once. Those that wait for locks, the storage or an upload hold a thread each."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Answer(NamedTuple):
    """A response that is ready to be written."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class DjangoHandler(ASGIHandler):
    """The ASGI application for HTTP."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request, have it answered in a thread, and write the answer."""
        try:
            body = await _read(receive)
        except RequestAborted:
            return
        answer = await sync_to_async(self._respond, thread_sensitive=False, executor=threads())(scope, body)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _respond(self, scope: Scope, body: bytes) -> Answer:
        """Run the middleware and the view, from the signal that begins a request to the one that ends it."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, io.BytesIO(body))
        response: Any = refusal if request is None else self.get_response(request)
        try:
            return _answer(response)
        finally:
            response.close()


def _started_threads() -> ThreadPoolExecutor:
    """Start all threads: one that starts later would hold up the event loop."""
    pool, all_run = ThreadPoolExecutor(THREADS, thread_name_prefix="request"), Barrier(THREADS + 1)
    for _ in range(THREADS):
        pool.submit(all_run.wait)
    all_run.wait()
    return pool


threads = OnePerLoop(_started_threads)
"""The threads that answer requests for the running event loop."""


async def _read(receive: Receive) -> bytes:
    """Read the body; RequestAborted if the client goes before it is complete."""
    parts = []
    has_more = True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestAborted
        parts.append(message.get("body", b""))
        has_more = message.get("more_body", False)
    return b"".join(parts)


def _answer(response: HttpResponseBase) -> Answer:
    headers = [(name.encode("ascii"), value.encode("latin1")) for name, value in response.items()]
    headers += [(b"Set-Cookie", cookie.output(header="").strip().encode()) for cookie in response.cookies.values()]
    body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return Answer(response.status_code, headers, body)
