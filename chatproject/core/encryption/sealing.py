"""Sealed values: format (1 byte), key id (4), nonce (12), ciphertext and tag.

Format 1 holds a text. Format 2 holds a digest of 32 bytes and then a text: bodies of messages, whose digest is that of
what was first sent. Subkeys are derived by HKDF-SHA256 (RFC 5869), one for each conversation, so that random nonces
never run out.
"""

import logging
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .digests import DIGEST_BYTES
from .errors import MissingKey, Unreadable
from .nonces import NONCE_BYTES, Nonces
from .ring import derive, ring

logger = logging.getLogger(__name__)

TEXT, DIGEST_AND_TEXT = b"\x01", b"\x02"
FORMATS = frozenset({TEXT, DIGEST_AND_TEXT})
NO_ID = UUID(int=0)
HEADER_BYTES = 1 + 4 + NONCE_BYTES
TAG_BYTES = 16

_nonces = Nonces()


def seal(text: str, *, field: str, row: UUID, conversation: UUID, digest: bytes = b"") -> bytes:
    """Encrypt a text, with a digest if there is one, for one field of one row in one conversation."""
    key_id, nonce, form = ring().current, _nonces.next(), DIGEST_AND_TEXT if digest else TEXT
    bound_to = _associated_data(form, field, row, conversation)
    sealed = _cipher(key_id, conversation).encrypt(nonce, digest + text.encode(), bound_to)
    return form + key_id + nonce + sealed


def unseal(value: bytes, *, field: str, row: UUID, conversation: UUID) -> str:
    """Decrypt the text that `seal` encrypted for the same field, row and conversation; Unreadable for anything else."""
    plain = _open(value, field, row, conversation)
    return (plain[DIGEST_BYTES:] if value[:1] == DIGEST_AND_TEXT else plain).decode()


def unseal_or_empty(value: bytes, *, field: str, row: UUID, conversation: UUID) -> str:
    """Decrypt a text that is shown among others: one that cannot be opened is empty and logged, and hides no others."""
    try:
        return unseal(value, field=field, row=row, conversation=conversation)
    except Unreadable as error:
        logger.error("the %s of %s can't be opened: %s", field, row, error.reason)
        return ""


def unseal_digest(value: bytes, *, field: str, row: UUID, conversation: UUID) -> bytes:
    """Decrypt the digest in a sealed value; empty if it holds none, Unreadable as for its text."""
    if value[:1] == TEXT:
        return b""
    return _open(value, field, row, conversation)[:DIGEST_BYTES]


def key_id_of(value: bytes) -> bytes:
    """Return the id of the key that a value was sealed with; Unreadable for what is no sealed value."""
    if value[:1] not in FORMATS or len(value) < HEADER_BYTES + TAG_BYTES:
        raise Unreadable
    return value[1:5]


def seal_secret(text: str, *, purpose: str, owner: UUID = NO_ID) -> bytes:
    """Encrypt a secret of the server for one purpose and, if it belongs to somebody, for its owner."""
    return seal(text, field=f"secret {purpose}", row=owner, conversation=NO_ID)


def unseal_secret(value: bytes, *, purpose: str, owner: UUID = NO_ID) -> str:
    """Decrypt what `seal_secret` made for the same purpose and owner; Unreadable for anything else."""
    return unseal(value, field=f"secret {purpose}", row=owner, conversation=NO_ID)


def unseal_former_secret(value: bytes) -> str:
    """Decrypt a secret from the time when secrets were not yet bound to a purpose and an owner."""
    return unseal(value, field="secret", row=NO_ID, conversation=NO_ID)


def _open(value: bytes, field: str, row: UUID, conversation: UUID) -> bytes:
    key_id, nonce = key_id_of(value), value[5:HEADER_BYTES]
    if key_id not in ring().keys:
        raise MissingKey(key_id)
    bound_to = _associated_data(value[:1], field, row, conversation)
    try:
        return _cipher(key_id, conversation).decrypt(nonce, value[HEADER_BYTES:], bound_to)
    except InvalidTag as error:
        raise Unreadable from error


def _associated_data(form: bytes, field: str, row: UUID, conversation: UUID) -> bytes:
    # The first format is bound to no format; no field begins with the byte of the second.
    return (b"" if form == TEXT else form) + field.encode() + row.bytes + conversation.bytes


@lru_cache(maxsize=8192)
def _cipher(key_id: bytes, conversation: UUID) -> AESGCM:
    return AESGCM(derive(ring().keys[key_id], b"conversation" + conversation.bytes))
