"""HTTP connections as uvicorn serves them, with an end for those that come to nothing.

* A request whose head or body does not arrive in time is answered 408 and closed. A connection that never begins a
  request is closed without a word, as browsers open some in advance.
* A head has a bound on its size, 431; so has what comes behind or between the pieces of a body and is no part of it.
* Trailers are no headers (RFC 9110, section 6.5.1): a proxy that cleans headers would let them pass.
* A connection that does not take its answer is cut.

It rests on names of uvicorn that are not promised; uvicorn is pinned, and tests/doors/test_incomplete_requests.py tests
them.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from chatproject.server.body_limit import refusal
from chatproject.server.websocket import cut

HEAD_SECONDS = 15.0
"""Seconds in which a request's line and headers have to arrive, from the connection's or their first byte on."""
BODY_SECONDS = 60.0
"""Seconds in which a request's body has to arrive, from its headers on: 18 KB a second for the largest."""
HEAD_BYTES = 64 * 1024
TAKING_SECONDS = 30.0
"""Seconds in which a connection has to take something of what is written to it."""
LINGER_SECONDS = 2.0
"""Seconds in which what still arrives after a refusal is dropped. Closing at once would reset the connection, and the
client would lose the refusal."""


class ChatHttp(HttpToolsProtocol):
    """One connection, until it becomes a WebSocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered, or was last; others may wait behind it."""
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._untaken = 0
        self._head_bytes = 0
        """Bytes that were read since the last of a body."""
        self._has_begun = False
        self._is_in_head = True
        self._is_refused = False

    # How long a request takes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, "too_large", "Request Header Fields Too Large", "The headers are too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._expect(HEAD_SECONDS)
        self._has_begun = True

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._expect(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._expect(None)
        self._has_begun, self._is_in_head, self._head_bytes = False, True, 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        self._expect(None)
        self._look_no_more()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        self._look_no_more()
        self._end_answer()
        super().connection_lost(exc)

    def _expect(self, seconds: float | None) -> None:
        """Give the connection so long from now; None for as long as it likes."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._on_late, seconds) if seconds else None

    def _on_late(self, seconds: float) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused or (self._is_in_head and self._is_answering):
            # It is we who do not read on: a request before this one is still being answered.
            self._expect(seconds)
        elif self._has_begun:
            self._refuse(408, "too_slow", "Request Timeout", "The request did not arrive in time.")
        else:
            self.transport.close()

    @property
    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def _refuse(self, status: int, code: str, title: str, detail: str) -> None:
        """Answer in the application's place, where nothing else is being answered, and close."""
        path = "" if self._is_in_head else self.scope["path"]
        if not (self._is_answering and (self._is_in_head or self.cycle.response_started)):
            headers, body = refusal(path, status=status, code=code, title=title, detail=detail)
            lines = [name + b": " + value + b"\r\n" for name, value in headers]
            self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self._end_answer()
        self._close_slowly()

    def _close_slowly(self) -> None:
        """Say that nothing more comes, and close when the client does or after a while."""
        self._is_refused = True
        self._expect(None)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
        self._look_later()

    def _end_answer(self) -> None:
        """Have the application see that nobody waits for its answer any more."""
        if self._answering is not None and self._is_answering:
            self._answering.disconnected = True
            self._answering.message_event.set()

    # Whether the answer is taken

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look_no_more()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._look_later()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._look_later()

    def _look_later(self) -> None:
        self._look_no_more()
        self._untaken = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(TAKING_SECONDS, self._look)

    def _look_no_more(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _look(self) -> None:
        """Cut the connection if nothing was taken meanwhile: what is written to it would be kept for ever."""
        if self.transport.get_write_buffer_size() < self._untaken:
            self._look_later()
        else:
            self._end_answer()
            cut(self.transport)
