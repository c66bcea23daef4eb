"""Who is asking: JSON Web Tokens for apps, the session cookie for browsers, and both for the WebSocket.

Every token carries the id of its session (`sid`) and of its pair (`pair`); a session that has ended is found out on
the next call, not when the token expires.
"""

from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, TypedDict
from urllib.parse import parse_qs
from uuid import UUID

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.auth.sessions import record_use
from accounts.auth.socket_tickets import use_ticket
from accounts.models import Session, User
from chatproject.core.client_address import own_origins
from chatproject.core.errors import Suspended

ACCESS_LIFETIME: timedelta = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]  # type: ignore[assignment]
SESSION_KEY = "sid"
"""Where a browser's session keeps the id of ours."""
USER_HEADER = "X-User-ID"
"""By this a page says whose it is: it may still be open, or still be saving, when another person has signed in."""


class Unauthenticated(APIException):
    """Nobody we know; `code` says in which way (contract, section 1)."""

    status_code = 401
    default_code = "not_authenticated"
    default_detail = "Please sign in."


class PairJSON(TypedDict):
    """The tokens of a session: `access` for ten minutes, `refresh` for the next pair."""

    access: str
    refresh: str


def issue_pair(session: Session) -> PairJSON:
    """Write a session's newest pair of tokens; asked again, the refresh token is the same to the letter."""
    now = timezone.now()
    issued_at = session.refreshed_at or now
    refresh = _written(RefreshToken, session, issued_at)
    access = _written(AccessToken, session, now if issued_at + ACCESS_LIFETIME <= now else issued_at)
    return {"access": str(access), "refresh": str(refresh)}


def read_refresh(text: str) -> tuple[UUID, UUID]:
    """Read a refresh token: its session and its pair. Unauthenticated if it is none of ours or too old."""
    token = _read(RefreshToken, text)
    return UUID(token["sid"]), UUID(token["pair"])


def session_of(access: str) -> Session:
    """Find the live session of an access token, with its person; Unauthenticated for all else."""
    token = _read(AccessToken, access)
    session = _required_session(UUID(token["sid"]))
    record_use(session=session, refresh_id=UUID(token["pair"]))
    return session


def session_of_ticket(ticket: str) -> Session:
    """Find the live session of a ticket, which is worth nothing from now on; Unauthenticated for all else."""
    id = use_ticket(ticket)
    session = live_session(id) if id else None
    if session is None:
        raise Unauthenticated("This ticket is not worth anything any more.", "not_authenticated")
    return _admitted(session)


def _required_session(id: UUID) -> Session:
    session = live_session(id)
    if session is None:
        raise Unauthenticated("This session has ended.", "session_revoked")
    return _admitted(session)


def _admitted(session: Session) -> Session:
    """Suspended if its person is; the session goes on when that is lifted."""
    if session.user.suspended_at:
        raise Suspended.because(session.user.suspension_reason)
    return session


def live_session(id: UUID) -> Session | None:
    """Find a session that has not ended, of a person whose account is open, be they suspended or not."""
    found = Session.objects.select_related("user").filter(pk=id, ended_at=None, user__is_active=True)
    return found.first()


def _belongs_to(kept: SessionBase, user: User) -> bool:
    """Tell, as Django does for a page, whether a browser's session is this person's and began under their password."""
    shown = kept.get(HASH_SESSION_KEY, "")
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return kept.get(USER_KEY) == str(user.pk) and any(constant_time_compare(shown, one) for one in hashes)


def _written(kind: type[Token], session: Session, issued_at: datetime) -> Token:
    token = kind()
    token.set_iat(at_time=issued_at)
    token.set_exp(from_time=issued_at)
    token.payload |= {"jti": session.refresh_id.hex if session.refresh_id else "", "sub": str(session.user_id)}
    token.payload |= {"sid": str(session.pk), "pair": str(session.refresh_id)}
    return token


def _read(kind: type[Token], text: str) -> Token:
    try:
        token = kind(text)  # type: ignore[arg-type]
        UUID(token["sid"]), UUID(token["pair"])
    except ExpiredTokenError:
        raise Unauthenticated("This token has expired.", "token_expired") from None
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        raise Unauthenticated("This is no token of ours.", "not_authenticated") from None
    return token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access>`."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        token = bearer(request.headers.get("Authorization", ""))
        if token is None:
            return None
        session = session_of(token)
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class CookieAuthentication(SessionAuthentication):
    """The session cookie, with CSRF protection for everything that writes."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        found = super().authenticate(request)
        session: Session | None = getattr(request._request, "chat_session", None)
        if not found or not session:
            return None
        if request.headers.get(USER_HEADER, str(found[0].pk)) != str(found[0].pk):
            raise Unauthenticated("This page belongs to someone who has signed out.", "not_authenticated")
        return found[0], session


def bearer(header: str) -> str | None:
    """Read the token of an Authorization header; None for another scheme."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def session_of_cookie(request: HttpRequest) -> Session | None:
    """Find the live session that a browser's session belongs to."""
    id = request.session.get(SESSION_KEY)
    return live_session(UUID(id)) if id else None


class SocketCredentials:
    """What a WebSocket brought along with its handshake."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        self._scope = scope

    def session(self) -> Session | None:
        """Find the session of the ticket, header or cookie; None if none came. Unauthenticated if it is no good.

        A cookie counts only with an Origin that is ours or allowed: browsers send it whoever opens the socket.
        """
        if (ticket := self._ticket()) is not None:
            return session_of_ticket(ticket)
        token = bearer(self._headers.get("authorization", ""))
        if token is not None:
            return session_of(token)
        kept = self._browser_session()
        if not kept.get(SESSION_KEY):
            return None
        if not origin_is_allowed(self._headers.get("origin")):
            raise Unauthenticated("This site may not open a socket with your cookie.", "not_authenticated")
        session = _required_session(UUID(kept[SESSION_KEY]))
        if not _belongs_to(kept, session.user):
            raise Unauthenticated("This session has ended.", "session_revoked")
        return session

    def _ticket(self) -> str | None:
        query = parse_qs(self._scope.get("query_string", b"").decode("latin1"), keep_blank_values=True)
        return query["ticket"][0] if "ticket" in query else None

    def _browser_session(self) -> SessionBase:
        """Open what is kept for the browser; it is empty where the cookie names nothing."""
        try:
            cookie = SimpleCookie(self._headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
        except CookieError:
            cookie = None
        store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(cookie and cookie.value)
        return store


def origin_is_allowed(origin: str | None) -> bool:
    """Tell whether a page of this origin may use a person's cookie: the site itself, or one that is named.

    The request's Host says nothing about it: whoever asks writes it.
    """
    return bool(origin) and (origin in settings.ALLOWED_ORIGINS or origin in own_origins())
