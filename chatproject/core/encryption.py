"""Encryption at rest: AES-256-GCM with a subkey per conversation; every text is bound to the row it belongs to.

A sealed value is: format (1 byte, now 1), key id (4), nonce (12), ciphertext and tag. Keys come from
`settings.CHAT_KEYS`, 32 bytes each in URL-safe base64, newest first: the first one encrypts, any of them decrypts.
Subkeys are derived by HKDF-SHA256 (RFC 5869), one for each conversation, so that random nonces never run out.
"""

import base64
import hashlib
import os
from collections.abc import Sequence
from functools import cache, lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

FORMAT = b"\x01"
NONCE_BYTES = 12
NONCES_AT_ONCE = 256
NO_ID = UUID(int=0)
HEADER_BYTES = 1 + 4 + NONCE_BYTES


class Unreadable(Exception):
    """A sealed value that none of our keys opens: it was altered, moved to another row, or sealed with a lost key."""

    def __init__(
        self, detail: str = "This was altered, moved here from elsewhere, or sealed with another key."
    ) -> None:
        super().__init__(detail)


class MissingKey(Unreadable):
    """A sealed value whose key is none of CHAT_KEYS."""

    def __init__(self) -> None:
        super().__init__(
            "This was sealed with a key that is not in CHAT_KEYS. Put that key back, behind the newest one."
        )


def seal(text: str, *, field: str, row: UUID, conversation: UUID) -> bytes:
    """Encrypt a text for one field of one row in one conversation."""
    newest, nonce = _ring().newest, _nonces.next()
    sealed = _cipher(newest, conversation).encrypt(nonce, text.encode(), _associated_data(field, row, conversation))
    return FORMAT + newest + nonce + sealed


def unseal(value: bytes, *, field: str, row: UUID, conversation: UUID) -> str:
    """Decrypt what `seal` made for the same field, row and conversation; Unreadable for anything else."""
    key_id, nonce = value[1:5], value[5:HEADER_BYTES]
    if value[:1] != FORMAT or len(value) < HEADER_BYTES:
        raise Unreadable
    if key_id not in _ring().keys:
        raise MissingKey
    try:
        plain = _cipher(key_id, conversation).decrypt(
            nonce, value[HEADER_BYTES:], _associated_data(field, row, conversation)
        )
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error
    return plain.decode()


def seal_secret(text: str, *, purpose: str, owner: UUID = NO_ID) -> bytes:
    """Encrypt a secret of the server for one purpose and, if it belongs to somebody, for its owner."""
    return seal(text, field=f"secret {purpose}", row=owner, conversation=NO_ID)


def unseal_secret(value: bytes, *, purpose: str, owner: UUID = NO_ID) -> str:
    """Decrypt what `seal_secret` made for the same purpose and owner; Unreadable for anything else."""
    return unseal(value, field=f"secret {purpose}", row=owner, conversation=NO_ID)


def unseal_former_secret(value: bytes) -> str:
    """Decrypt a secret from the time when secrets were not yet bound to a purpose and an owner."""
    return unseal(value, field="secret", row=NO_ID, conversation=NO_ID)


def fingerprints(*parts: bytes) -> list[bytes]:
    """Return an HMAC-SHA256 of the parts under each key, newest first: they recognise content without storing it."""
    content = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    return [mac.digest(content) for mac in _ring().fingerprinting]


def _associated_data(field: str, row: UUID, conversation: UUID) -> bytes:
    return field.encode() + row.bytes + conversation.bytes


class Mac:
    """HMAC-SHA256 (RFC 2104) with both pads of the key hashed in advance, which `hmac` would do for each text."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def digest(self, text: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()


class Nonces:
    """Random nonces, generated many at a time: asking the system for each costs as much as the encryption."""

    def __init__(self) -> None:
        self._drawn: list[bytes] = []
        # A forked child must not use the same nonces as its parent.
        os.register_at_fork(after_in_child=self._forget)

    def next(self) -> bytes:
        # Two threads never get the same one: `pop` is atomic.
        try:
            return self._drawn.pop()
        except IndexError:
            drawn = os.urandom(NONCES_AT_ONCE * NONCE_BYTES)
            nonce, *rest = (drawn[n : n + NONCE_BYTES] for n in range(0, len(drawn), NONCE_BYTES))
            self._drawn = rest
            return nonce

    def _forget(self) -> None:
        self._drawn = []


_nonces = Nonces()


class KeyRing:
    """The keys by their ids, newest first, and what is derived from them once."""

    def __init__(self, texts: Sequence[str]) -> None:
        keys = [base64.urlsafe_b64decode(text) for text in texts]
        if not keys or any(len(key) != 32 for key in keys):
            raise ImproperlyConfigured("CHAT_KEYS needs one key or more, each 32 bytes in URL-safe base64.")
        self.keys = {hashlib.sha256(b"parley key id" + key).digest()[:4]: key for key in keys}
        self.newest = next(iter(self.keys))
        self.fingerprinting = [Mac(_derive(key, b"fingerprint")) for key in keys]


def _ring() -> KeyRing:
    return _ring_of(tuple(settings.CHAT_KEYS))


@cache
def _ring_of(texts: tuple[str, ...]) -> KeyRing:
    return KeyRing(texts)


@lru_cache(maxsize=8192)
def _cipher(key_id: bytes, conversation: UUID) -> AESGCM:
    return AESGCM(_derive(_ring().keys[key_id], b"conversation" + conversation.bytes))


@lru_cache(maxsize=64)
def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley " + purpose).derive(key)
