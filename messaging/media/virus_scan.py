"""The hook for a virus scanner: whatever speaks ClamAV's protocol, where `SCANNER_URL` names one."""

import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from chatproject.core.database import without_connection
from chatproject.core.errors import Unavailable

PIECE = 64 * 1024
SECONDS = 60


def finds_virus(path: Path) -> bool:
    """Ask the scanner about a file; False without a scanner, Unavailable where it does not answer."""
    if not settings.SCANNER_URL:
        return False
    try:
        answer = _ask(path)
    except OSError as error:
        raise Unavailable("Files can't be checked now. Please try again.") from error
    if answer.endswith("FOUND"):
        return True
    if answer.endswith("OK"):
        return False
    # It may not take what is too large for it: then nobody knows, and nobody gets it.
    raise Unavailable("This file could not be checked. Please try again.")


@without_connection()
def _ask(path: Path) -> str:
    """Send a file piece by piece, each behind its length; an empty piece ends it."""
    where = urlsplit(settings.SCANNER_URL)
    with socket.create_connection((where.hostname, where.port or 3310), timeout=SECONDS) as scanner:
        scanner.sendall(b"zINSTREAM\0")
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                scanner.sendall(struct.pack(">I", len(piece)) + piece)
        scanner.sendall(struct.pack(">I", 0))
        return scanner.makefile("rb").read().rstrip(b"\0\n").decode(errors="replace")
