"""Servers that keep whoever asks waiting: one that never answers, and one before another that can be stopped."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from chatproject.embedded.ports import choose_ports


class Silent:
    """Takes connections and says nothing, until it is let go: then all connections end."""

    def __init__(self, *, before: int | None = None) -> None:
        self.port = choose_ports(1)[0]
        self.asked = Event()
        """Set once somebody waits."""
        self.ended = Event()
        self._before = before
        self._open = Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                if self._before is None:
                    self.asked.set()
                else:
                    there = socket.create_connection(("127.0.0.1", self._before))
                    self._sockets.append(there)
                    Thread(target=self._pass_on, args=(client, there), daemon=True).start()
                    Thread(target=self._pass_on, args=(there, client), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                if not self._open.is_set():
                    self.asked.set()
                    self._open.wait()
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def answer(self) -> None:
        """Pass on what comes, and what has come."""
        self._open.set()

    def fall_silent(self) -> None:
        self.asked.clear()
        self._open.clear()

    def end(self) -> None:
        self.ended.set()
        self._open.set()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def silent(*, before: int | None = None) -> Iterator[Silent]:
    """A server that says nothing; `before` names the port of one to which it passes on once it is told to `answer`."""
    server = Silent(before=before)
    try:
        yield server
    finally:
        server.end()
