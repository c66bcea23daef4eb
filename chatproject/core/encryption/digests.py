"""Digests of content, by which a message that is sent again is recognised without comparing what it says.

The digest is stored inside the sealed body. Rows of former releases have an HMAC in a column of their own instead, the
fingerprint; it is computed only when one of these is sent again.
"""

import hashlib
import hmac
from collections.abc import Iterator

from .ring import ring

DIGEST_BYTES = 32


def digest(*parts: bytes) -> bytes:
    """Return the SHA-256 of the parts, each preceded by its length, so that no other division has the same."""
    return hashlib.sha256(_content(parts)).digest()


def former_fingerprints(*parts: bytes) -> Iterator[bytes]:
    """Compute the HMAC-SHA256 of the parts under each key that may have made one, the newest first."""
    content = _content(parts)
    return (hmac.digest(subkey, content, "sha256") for subkey in ring().fingerprint_subkeys())


def _content(parts: tuple[bytes, ...]) -> bytes:
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])
