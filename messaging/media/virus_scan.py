"""The virus scanner at `SCANNER_URL`: any server that speaks ClamAV's protocol."""

import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from chatproject.core.database import without_connection
from chatproject.core.errors import Unavailable

CHUNK_BYTES = 64 * 1024
TIMEOUT_SECONDS = 60


def finds_virus(path: Path) -> bool:
    """Tell whether the scanner finds a virus in a file; False without a scanner, Unavailable if it does not answer."""
    if not settings.SCANNER_URL:
        return False
    try:
        answer = _scan(path)
    except OSError as error:
        raise Unavailable("Files can't be checked now. Please try again.") from error
    if answer.endswith("FOUND"):
        return True
    if answer.endswith("OK"):
        return False
    # The scanner may refuse a file that is too large for it. Then nobody knows what is in it, and nobody gets it.
    raise Unavailable("This file could not be checked. Please try again.")


@without_connection()
def _scan(path: Path) -> str:
    """Send a file in chunks, each after its length; an empty chunk ends it."""
    url = urlsplit(settings.SCANNER_URL)
    with socket.create_connection((url.hostname, url.port or 3310), timeout=TIMEOUT_SECONDS) as scanner:
        scanner.sendall(b"zINSTREAM\0")
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                scanner.sendall(struct.pack(">I", len(chunk)) + chunk)
        scanner.sendall(struct.pack(">I", 0))
        return scanner.makefile("rb").read().rstrip(b"\0\n").decode(errors="replace")
