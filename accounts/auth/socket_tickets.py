"""One-use tickets: what a page or app shows to open a socket where it can send no header.

Redis keeps a ticket's digest for a minute; taking it out is what makes it count once.
"""

import hashlib
import secrets
from uuid import UUID

from accounts.models import Session
from chatproject.core.redis import redis

SECONDS = 60


def issue_ticket(session: Session) -> str:
    """Give a session a ticket that opens one socket within a minute."""
    ticket = secrets.token_urlsafe(32)
    redis().set(_key(ticket), str(session.pk), ex=SECONDS)
    return ticket


def use_ticket(ticket: str) -> UUID | None:
    """Find the session of a ticket and use the ticket up; None for one that is used, old or invented."""
    id = redis().getdel(_key(ticket))
    return UUID(id.decode()) if isinstance(id, bytes) else None


def _key(ticket: str) -> str:
    return f"ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
