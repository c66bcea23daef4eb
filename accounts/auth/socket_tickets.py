"""One-use tickets that open a socket, for pages and apps that can't send an Authorization header.

Redis stores the digest of a ticket for a minute; reading it deletes it, so that it works once.
"""

import hashlib
import secrets
from contextlib import suppress
from uuid import UUID

from accounts.models import Session
from chatproject.core.redis import redis

SECONDS = 60


def issue_ticket(session: Session) -> str:
    """Issue a ticket that opens one socket of a session within a minute."""
    ticket = secrets.token_urlsafe(32)
    redis().set(_key(ticket), str(session.pk), ex=SECONDS)
    return ticket


def use_ticket(ticket: str) -> UUID | None:
    """Use a ticket up and return the id of its session; None if it was used before, has expired or was never issued,
    or another release issued it in a form that this one does not know.
    """
    id = redis().getdel(_key(ticket))
    with suppress(ValueError):
        return UUID(id.decode()) if isinstance(id, bytes) else None
    return None


def _key(ticket: str) -> str:
    return f"ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
