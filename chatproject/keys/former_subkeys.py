"""The fingerprint subkeys of former releases, kept for as long as a message with a fingerprint can be sent again.

A message that was stored before this release has an HMAC beside it, not a digest in it, and may be sent again for
seven days. If its key is taken out of CHAT_KEYS meanwhile, this subkey still recognises it; it opens nothing.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg

from chatproject.core.encryption.errors import Unreadable
from chatproject.core.encryption.ring import KeyRing, fingerprint_subkey
from chatproject.core.encryption.sealing import key_id_of, seal_secret, unseal_secret
from chatproject.keys.registry import Registered

KEPT_FOR = "8 days"
"""Ids are valid for seven days; a server of the former release may run for a while yet."""
KEEP = f"""
UPDATE chatproject_encryptionkey SET fingerprint_subkey = %s, forget_subkey_at = now() + interval '{KEPT_FOR}'
WHERE id = %s
"""  # noqa: S608 (a number of our own)
SEAL_AGAIN = "UPDATE chatproject_encryptionkey SET fingerprint_subkey = %s WHERE id = %s AND fingerprint_subkey = %s"
FORGET = "UPDATE chatproject_encryptionkey SET fingerprint_subkey = NULL WHERE forget_subkey_at < now()"


def keep_subkeys(on: "psycopg.Connection[Any]", ring: KeyRing) -> None:
    """Store the subkey of each key of a ring, sealed."""
    for id, key in ring.keys.items():
        on.execute(KEEP, [_sealed(id.hex(), fingerprint_subkey(key)), id.hex()])


def open_subkeys(found: Registered, ring: KeyRing) -> Mapping[bytes, bytes]:
    """Open the subkeys of the keys that are not in the ring."""
    opened = {}
    for id in found.subkeys.keys() - {id.hex() for id in ring.keys}:
        with suppress(Unreadable):
            opened[bytes.fromhex(id)] = _opened(id, found.subkeys[id])
    return opened


def refresh_subkeys(on: "psycopg.Connection[Any]", found: Registered, ring: KeyRing) -> None:
    """Forget the subkeys whose time is over, and seal with the current key what another one has sealed."""
    if not found.subkeys:
        return
    on.execute(FORGET)
    for id, sealed in found.subkeys.items():
        if key_id_of(sealed) != ring.current:
            with suppress(Unreadable):
                on.execute(SEAL_AGAIN, [_sealed(id, _opened(id, sealed)), id, sealed])


def _sealed(id: str, subkey: bytes) -> bytes:
    return seal_secret(subkey.hex(), purpose=f"fingerprint {id}")


def _opened(id: str, sealed: bytes) -> bytes:
    return bytes.fromhex(unseal_secret(sealed, purpose=f"fingerprint {id}"))
