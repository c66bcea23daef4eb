"""What an application knows of a WebSocket connection, and how a text frame is written."""

from collections.abc import Callable
from typing import Protocol

EXTENSION = "parley.line"
"""The name under which the application finds its `Connection` in `scope["extensions"]`."""


class Connection(Protocol):
    """A connection to one device, as the application writes to it: one text frame at a time."""

    on_free: Callable[[], None]
    on_restart: Callable[[], None]
    """Called when the server is about to stop."""

    @property
    def is_free(self) -> bool:
        """Whether a frame is accepted at once; `on_free` is called when that is so again."""

    @property
    def is_open(self) -> bool:
        """Whether the other side is still connected, as far as is known."""

    def write(self, text: bytes) -> None:
        """Send one text frame; nothing happens after the other side has disconnected."""

    def close(self, code: int) -> None:
        """Close after what was written, and cut the connection soon if the other side does not read that."""


def ignore() -> None:
    """The callback of a connection until it is given one."""


def framed(text: bytes) -> bytes:
    """Write a text frame as it travels from a server: whole and unmasked (RFC 6455, section 5.2)."""
    length = len(text)
    if length < 126:
        return bytes((0x81, length)) + text
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text
