"""The keys of this process, and which of them encrypts.

Keys come from `settings.CHAT_KEYS`, 32 bytes each in URL-safe base64, newest first; any of them decrypts. With one key,
that one encrypts. With several, the table of keys says which one is current (`chatproject/keys`): a server process
follows it, a command looks it up once. Until that is known the last key encrypts, which every process has longest.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

import psycopg
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chatproject.core.database import connection_parameters

CURRENT = "SELECT id FROM chatproject_encryptionkey WHERE state = 'current'"
KEY_BYTES = 32
LOOK_UP_EVERY = 10.0
"""Seconds between two attempts to look up the current key."""


class KeyRing:
    """The keys by their ids, newest first."""

    def __init__(self, texts: Sequence[str]) -> None:
        keys = [_decoded(text) for text in texts]
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ImproperlyConfigured("CHAT_KEYS needs one key or more, each 32 bytes in URL-safe base64.")
        self.keys = {key_id(key): key for key in keys}
        self._oldest = list(self.keys)[-1]
        self._current = self._oldest if len(self.keys) == 1 else None
        self._is_told = False
        self._look_up_at = 0.0
        self._kept_subkeys: Mapping[bytes, bytes] = {}

    @property
    def current(self) -> bytes:
        """The id of the key that encrypts."""
        return self._current or self._look_up()

    def begin_to_be_told(self) -> None:
        """Look up nothing any more: this process is told which key is current."""
        self._is_told = True

    def set_current(self, id: bytes) -> None:
        """Encrypt with this key from now on; an unknown one changes nothing, as without it nothing can be encrypted."""
        if id in self.keys:
            self._current = id

    def keep_subkeys(self, subkeys: Mapping[bytes, bytes]) -> None:
        """Remember the fingerprint subkeys of keys that were taken out of CHAT_KEYS."""
        self._kept_subkeys = subkeys

    def fingerprint_subkeys(self) -> Iterator[bytes]:
        """Return the subkey of each key for the fingerprints of former releases."""
        yield from (fingerprint_subkey(key) for key in self.keys.values())
        yield from self._kept_subkeys.values()

    def _look_up(self) -> bytes:
        """Look up the current key, unless this would hold up an event loop or was tried a moment ago."""
        if not self._is_told and not _is_on_event_loop() and time.monotonic() >= self._look_up_at:
            self._look_up_at = time.monotonic() + LOOK_UP_EVERY
            if found := _stored_current():
                self.set_current(found)
        return self._current or self._oldest


def ring() -> KeyRing:
    """Return the ring of this process."""
    return _ring_of(tuple(settings.CHAT_KEYS))


@cache
def _ring_of(texts: tuple[str, ...]) -> KeyRing:
    return KeyRing(texts)


def _decoded(text: str) -> bytes:
    """Decode a key; nothing if this is no base64."""
    try:
        return base64.urlsafe_b64decode(text)
    except ValueError:
        return b""


def key_id(key: bytes) -> bytes:
    """Return the four bytes by which sealed values name their key."""
    return hashlib.sha256(b"parley key id" + key).digest()[:4]


def fingerprint_subkey(key: bytes) -> bytes:
    """Return the subkey of the fingerprints that former releases stored."""
    return derive(key, b"fingerprint")


@lru_cache(maxsize=64)
def derive(key: bytes, purpose: bytes) -> bytes:
    """Derive a subkey by HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley " + purpose).derive(key)


def _is_on_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _stored_current() -> bytes | None:
    """Read which key is current, on a connection of its own: the caller's transaction may have failed already."""
    try:
        with psycopg.connect(**connection_parameters() | {"connect_timeout": 2}, autocommit=True) as connection:
            row = connection.execute(CURRENT).fetchone()
    except psycopg.Error:
        return None
    return bytes.fromhex(row[0]) if row else None
