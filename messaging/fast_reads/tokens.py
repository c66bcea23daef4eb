"""Access tokens that were verified already: a device sends the same one for minutes."""

import time
from functools import lru_cache

from accounts.auth.tokens import AccessClaims, Unauthenticated, read_access

TOKENS_KEPT = 4096
HEADER_BYTES = 1024
"""The longest header that is looked at: our tokens have some 400 bytes, and what is kept must not be any longer."""
MARGIN = 1.0
"""Seconds before its end from which on a token is left to the view set."""


def claims_of(authorization: bytes) -> AccessClaims | None:
    """Return what the token of an Authorization header says; None unless it is valid."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or len(authorization) > HEADER_BYTES:
        return None
    try:
        found = verified(token.strip().decode("latin1"))
    except Unauthenticated:
        return None
    return found if time.time() < found.expires_at - MARGIN else None


@lru_cache(maxsize=TOKENS_KEPT)
def verified(text: str) -> AccessClaims:
    """Verify a token. What is raised is not remembered, so nobody fills the memory with tokens that are not ours."""
    return read_access(text)
