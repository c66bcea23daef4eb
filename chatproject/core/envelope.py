"""What stands in front of every message between servers, and what becomes of those that a server does not understand.

Servers of two releases run side by side during an update. So a message begins with the version of its form, and what a
server does not know it ignores, counts, and logs once: what is published is a hint, and the reconciliation of the hub
finds what matters. The eight bytes of the former release, which were random, are read in the same way.
"""

import logging
import os

import msgspec

from chatproject.core import metrics

logger = logging.getLogger(__name__)

MARK = b"\xc1P"
"""No MessagePack begins with this byte."""
VERSION = 1
"""The version of what follows. It is raised only if former servers would misread it; they ignore it then."""
KNOWN = MARK + bytes([VERSION])
ENVELOPE_BYTES = 8
LOGGED_AT_MOST = 100
FIXARRAY, FIXSTR = 0x90, 0xA0
"""The first bits of a short array and of a short text in MessagePack."""

_logged: set[tuple[str, str]] = set()


def new_envelope() -> bytes:
    """Return what one process puts in front of its messages; it recognises its own by it."""
    return KNOWN + os.urandom(ENVELOPE_BYTES - len(KNOWN))


def is_former(data: bytes) -> bool:
    """Tell whether a message was sent by the release before versions, which put eight random bytes in front."""
    return len(data) > ENVELOPE_BYTES and not data.startswith(MARK)


def ignore_version(data: bytes) -> None:
    """Count a message of an unknown version."""
    _ignore("version", str(data[len(MARK)]) if data.startswith(MARK) and len(data) > len(MARK) else "none")


def ignore_content(message: bytes, error: Exception) -> None:
    """Count a message that could not be decoded: of an unknown kind, or broken."""
    kind = _kind_of(message)
    is_unknown = isinstance(error, msgspec.ValidationError) and str(error).endswith("`$[0]`")
    _ignore("kind" if is_unknown else "content", kind)


def _kind_of(message: bytes) -> str:
    """Read the tag, a short text at the beginning of an array; the rest, which may be nested deep, is not decoded."""
    if len(message) > 1 and message[0] & 0xF0 == FIXARRAY and message[1] & 0xE0 == FIXSTR:
        return message[2 : 2 + (message[1] & 0x1F)].decode(errors="replace")
    return "unknown"


def _ignore(reason: str, detail: str) -> None:
    metrics.IGNORED.labels(reason).inc()
    if (reason, detail) not in _logged and len(_logged) < LOGGED_AT_MOST:
        _logged.add((reason, detail))
        logger.warning("messages of another server are ignored for their %s: %s (this is logged once)", reason, detail)
