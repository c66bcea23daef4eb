"""Nonces for signing in with a wallet. Redis stores their digests; deleting a digest makes its nonce work once."""

import hashlib
import secrets

from chatproject.core.redis import redis

SECONDS = 300


def issue_nonce() -> str:
    """Issue a nonce that one message may contain within five minutes."""
    nonce = secrets.token_hex(16)
    redis().set(_key(nonce), 1, ex=SECONDS)
    return nonce


def use_nonce(nonce: str) -> bool:
    """Use up a nonce; return whether this server issued it and it was still valid."""
    return redis().delete(_key(nonce)) == 1


def _key(nonce: str) -> str:
    return f"wallet-nonce:{hashlib.sha256(nonce.encode()).hexdigest()}"
