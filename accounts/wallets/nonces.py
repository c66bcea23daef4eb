"""Nonces for signing in with a wallet: Redis keeps the digest of each; taking it out is what makes it count once."""

import hashlib
import secrets

from chatproject.core.redis import redis

SECONDS = 300


def issue_nonce() -> str:
    """Give a nonce that one message may carry within five minutes."""
    nonce = secrets.token_hex(16)
    redis().set(_key(nonce), 1, ex=SECONDS)
    return nonce


def use_nonce(nonce: str) -> bool:
    """Use a nonce up; tell whether it was one of ours and still good."""
    return redis().delete(_key(nonce)) == 1


def _key(nonce: str) -> str:
    return f"wallet-nonce:{hashlib.sha256(nonce.encode()).hexdigest()}"
