"""HTTP connections as uvicorn serves them, with time limits and size limits that uvicorn does not have.

* A request whose head or body does not arrive in time is answered 408, and the connection is closed. A connection that
  never begins a request is closed without an answer, as browsers open some in advance.
* The size of a head is limited (431), and so are chunk extensions and trailers, which are not part of a body.
* Trailers are not treated as headers (RFC 9110, section 6.5.1): a proxy that removes headers would let them pass.
* A connection whose client does not read the response is aborted.

This relies on names of uvicorn that are not part of its API; uvicorn is pinned, and
tests/doors/test_incomplete_requests.py notices when they change.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from chatproject.server.body_limit import refusal
from chatproject.server.websocket import abort

HEAD_SECONDS = 15.0
"""Seconds within which a request line and its headers have to arrive, from the connection or their first byte on."""
BODY_SECONDS = 60.0
"""Seconds within which a body has to arrive, from the end of its headers on: 18 KB a second for the largest."""
HEAD_BYTES = 64 * 1024
STALL_SECONDS = 30.0
"""Seconds after which a connection is aborted if its client has read nothing of the response meanwhile."""
LINGER_SECONDS = 2.0
"""Seconds for which data that arrives after an error response is discarded. Closing at once would reset the connection,
and the client would lose the response."""


class ChatHttp(HttpToolsProtocol):
    """One connection, until it becomes a WebSocket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._current_cycle: RequestResponseCycle | None = None
        """The request that is being answered, or was answered last; pipelined requests wait after it."""
        self._deadline: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._unread_bytes = 0
        self._head_bytes = 0
        """Bytes that were received since the last bytes of a body."""
        self._has_begun = False
        self._is_in_head = True
        self._is_refused = False

    # Receiving a request in time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline(HEAD_SECONDS)

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
            self._set_deadline(HEAD_SECONDS)
        self._has_begun = True

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._set_deadline(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._set_deadline(None)
        self._has_begun, self._is_in_head, self._head_bytes = False, True, 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._current_cycle = cycle
        super()._start_asgi_task(cycle, app)

    def handle_websocket_upgrade(self) -> None:
        self._set_deadline(None)
        self._stop_stall_timer()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._set_deadline(None)
        self._stop_stall_timer()
        self._disconnect_application()
        super().connection_lost(exc)

    def _set_deadline(self, seconds: float | None) -> None:
        """Set the time within which the next part of the request has to arrive; None for no limit."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._on_late, seconds) if seconds else None

    def _on_late(self, seconds: float) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused or (self._is_in_head and self._is_answering):
            # The server itself has paused reading, because a request before this one is still being answered.
            self._set_deadline(seconds)
        elif self._has_begun:
            self._refuse(408, "too_slow", "Request Timeout", "The request did not arrive in time.")
        else:
            self.transport.close()

    @property
    def _is_answering(self) -> bool:
        return self._current_cycle is not None and not self._current_cycle.response_complete

    def _refuse(self, status: int, code: str, title: str, detail: str) -> None:
        """Send an error response, unless another response is being sent, and close the connection."""
        path = "" if self._is_in_head else self.scope["path"]
        if not (self._is_answering and (self._is_in_head or self.cycle.response_started)):
            headers, body = refusal(path, status=status, code=code, title=title, detail=detail)
            lines = [name + b": " + value + b"\r\n" for name, value in headers]
            self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self._disconnect_application()
        self._close_slowly()

    def _close_slowly(self) -> None:
        """Send the end of the stream, and close when the client does, or after a few seconds."""
        self._is_refused = True
        self._set_deadline(None)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
        self._start_stall_timer()

    def _disconnect_application(self) -> None:
        """Notify the application that its client has disconnected."""
        if self._current_cycle is not None and self._is_answering:
            self._current_cycle.disconnected = True
            self._current_cycle.message_event.set()

    # Whether the client reads the response

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_stall_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_stall_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._start_stall_timer()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._start_stall_timer()

    def _start_stall_timer(self) -> None:
        self._stop_stall_timer()
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._check_stall)

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _check_stall(self) -> None:
        """Abort the connection if the client has read nothing meanwhile: its write buffer would be kept forever."""
        if self.transport.get_write_buffer_size() < self._unread_bytes:
            self._start_stall_timer()
        else:
            self._disconnect_application()
            abort(self.transport)
