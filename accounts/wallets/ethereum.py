"""Ethereum addresses with their checksum (EIP-55), and recovering the signer of a text (EIP-191)."""

import re

from coincurve import PublicKey
from Crypto.Hash import keccak

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)
SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}", re.ASCII)
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half the order of secp256k1. A signature with a greater `s` is a second form of the same signature (EIP-2)."""
RECOVERY = {27: 0, 28: 1, 0: 0, 1: 1}
"""The recovery id, which selects one of the two possible public keys, by the last byte of a signature."""


def checksummed(text: str) -> str:
    """Return an address with its EIP-55 checksum. Raises ValueError if it is invalid or its checksum is wrong."""
    if not ADDRESS.fullmatch(text):
        raise ValueError("An address is 0x and 40 hexadecimal digits.")
    digits = text[2:].lower()
    digest = _keccak(digits.encode()).hex()
    written = "0x" + "".join(a.upper() if int(b, 16) > 7 else a for a, b in zip(digits, digest, strict=False))
    if text[2:] not in {digits, digits.upper(), written[2:]}:
        raise ValueError("The checksum of this address (EIP-55) is wrong.")
    return written


def signer_of(message: str, signature: str) -> str:
    """Return the address that has signed a text with `personal_sign`. Raises ValueError for an invalid signature."""
    if not SIGNATURE.fullmatch(signature):
        raise ValueError("A signature is 0x and 65 bytes in hexadecimal digits.")
    signed = bytes.fromhex(signature[2:])
    if signed[64] not in RECOVERY or int.from_bytes(signed[32:64]) > HALF_ORDER:
        raise ValueError("This signature is not canonical.")
    compact = signed[:64] + bytes([RECOVERY[signed[64]]])
    key = PublicKey.from_signature_and_message(compact, _personal_digest(message), hasher=None)
    return checksummed("0x" + _keccak(key.format(compressed=False)[1:])[-20:].hex())


def _personal_digest(message: str) -> bytes:
    """Return the digest that is signed for a text; it can never be a transaction (EIP-191, version 0x45)."""
    text = message.encode()
    return _keccak(b"\x19Ethereum Signed Message:\n%d%s" % (len(text), text))


def _keccak(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()
