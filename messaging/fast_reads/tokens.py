"""Access tokens that were verified already: a device sends the same one for minutes."""

import time
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

TOKENS_KEPT = 4096
HEADER_BYTES = 1024
"""The longest header that is looked at: our tokens have some 400 bytes, and what is kept must not be any longer."""
MARGIN = 1.0
"""Seconds before its end from which on a token is left to the view set."""


class Claims(NamedTuple):
    """What an access token says: whose it is, of which session, of which pair, and until when it is valid."""

    user_id: UUID
    session_id: UUID
    pair: UUID
    expires_at: float


def claims_of(authorization: bytes) -> Claims | None:
    """Return what the token of an Authorization header says; None unless it is valid."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or len(authorization) > HEADER_BYTES:
        return None
    try:
        found = verified(token.strip())
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        return None
    return found if time.time() < found.expires_at - MARGIN else None


@lru_cache(maxsize=TOKENS_KEPT)
def verified(text: bytes) -> Claims:
    """Verify a token. What is raised is not remembered, so nobody fills the memory with tokens that are not ours."""
    token = AccessToken(text)  # type: ignore[arg-type] # it takes bytes, too
    return Claims(UUID(token["sub"]), UUID(token["sid"]), UUID(token["pair"]), float(token["exp"]))
