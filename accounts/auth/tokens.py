"""Authentication of requests: JSON Web Tokens for apps, the session cookie for browsers, both for the WebSocket.

Every token carries the id of its session (`sid`) and of its pair (`pair`). Every call checks the session, so that a
token becomes invalid when its session ends, before it expires.
"""

from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, NamedTuple, TypedDict
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
"""Key in a browser's session: the id of our `Session`."""
USER_HEADER = "X-User-ID"
"""Header in which a page sends whose it is: it may still be open, or saving, after another person has signed in."""


class Unauthenticated(APIException):
    """The credentials are missing or invalid; `code` says why (contract, section 1)."""

    status_code = 401
    default_code = "not_authenticated"
    default_detail = "Please sign in."


class AccessClaims(NamedTuple):
    """What an access token says: whose it is, of which session, of which pair, and until when it is valid."""

    user_id: UUID
    session_id: UUID
    pair: UUID
    expires_at: float
    """Seconds since 1970."""


class PairJSON(TypedDict):
    """The tokens of a session: `access` for ten minutes, `refresh` for the next pair."""

    access: str
    refresh: str


def issue_pair(session: Session) -> PairJSON:
    """Return a session's newest pair of tokens. Called again, it returns an identical refresh token."""
    now = timezone.now()
    issued_at = session.refreshed_at or now
    refresh = _new_token(RefreshToken, session, issued_at)
    access = _new_token(AccessToken, session, now if issued_at + ACCESS_LIFETIME <= now else issued_at)
    return {"access": str(access), "refresh": str(refresh)}


def read_refresh(text: str) -> tuple[UUID, UUID]:
    """Return the session id and pair id of a refresh token. Raises Unauthenticated if it is invalid or has expired."""
    token = _read(RefreshToken, text)
    return UUID(token["sid"]), UUID(token["pair"])


def read_access(text: str) -> AccessClaims:
    """Return what an access token says. Raises Unauthenticated if it is invalid or has expired."""
    token = _read(AccessToken, text)
    return AccessClaims(UUID(token["sub"]), UUID(token["sid"]), UUID(token["pair"]), float(token["exp"]))


def session_of(access: str) -> Session:
    """Return the live session of an access token, with its person. Raises Unauthenticated if there is none."""
    claims = read_access(access)
    session = _required_session(claims.session_id)
    record_use(session=session, refresh_id=claims.pair)
    return session


def session_of_ticket(ticket: str) -> Session:
    """Use up a ticket and return its live session. Raises Unauthenticated if there is none."""
    id = use_ticket(ticket)
    session = live_session(id) if id else None
    if session is None:
        raise Unauthenticated("This ticket is not valid any more.", "not_authenticated")
    return _require_not_suspended(session)


def _required_session(id: UUID) -> Session:
    session = live_session(id)
    if session is None:
        raise Unauthenticated("This session has ended.", "session_revoked")
    return _require_not_suspended(session)


def _require_not_suspended(session: Session) -> Session:
    """Raise Suspended if the person of a session is suspended; the session stays valid for when that is lifted."""
    if session.user.suspended_at:
        raise Suspended.because(session.user.suspension_reason)
    return session


def live_session(id: UUID) -> Session | None:
    """Return a session that has not ended and whose account is not closed; the person may be suspended."""
    found = Session.objects.select_related("user").filter(pk=id, ended_at=None, user__is_active=True)
    return found.first()


def _belongs_to(kept: SessionBase, user: User) -> bool:
    """Return, as Django does for a page, whether a browser's session is this person's and began with their password."""
    shown = kept.get(HASH_SESSION_KEY, "")
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return kept.get(USER_KEY) == str(user.pk) and any(constant_time_compare(shown, one) for one in hashes)


def _new_token(kind: type[Token], session: Session, issued_at: datetime) -> Token:
    token = kind()
    token.set_iat(at_time=issued_at)
    token.set_exp(from_time=issued_at)
    token.payload |= {"jti": session.refresh_id.hex if session.refresh_id else "", "sub": str(session.user_id)}
    token.payload |= {"sid": str(session.pk), "pair": str(session.refresh_id)}
    return token


def _read(kind: type[Token], text: str) -> Token:
    try:
        token = kind(text)  # type: ignore[arg-type]
        UUID(token["sub"]), UUID(token["sid"]), UUID(token["pair"])
    except ExpiredTokenError:
        raise Unauthenticated("This token has expired.", "token_expired") from None
    except (TokenError, KeyError, ValueError, TypeError, AttributeError):
        raise Unauthenticated("This token is not valid.", "not_authenticated") from None
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
    """Return the token of an Authorization header; None for another scheme."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def session_of_cookie(request: HttpRequest) -> Session | None:
    """Return the live `Session` that a browser's session belongs to."""
    id = request.session.get(SESSION_KEY)
    return live_session(UUID(id)) if id else None


class SocketCredentials:
    """The credentials of a WebSocket handshake."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self._headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        self._scope = scope

    def session(self) -> Session | None:
        """Return the session of the ticket, header or cookie; None without any; Unauthenticated if it is invalid.

        A cookie is accepted only with an allowed Origin: browsers send it whichever site opens the socket.
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
        """Return the browser's session; it is empty if the cookie names none."""
        try:
            cookie = SimpleCookie(self._headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
        except CookieError:
            cookie = None
        store: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(cookie and cookie.value)
        return store


def origin_is_allowed(origin: str | None) -> bool:
    """Return whether pages of an origin may use a person's cookie: this site, and those in ALLOWED_ORIGINS.

    The Host header is not trusted: the client chooses it.
    """
    return bool(origin) and (origin in settings.ALLOWED_ORIGINS or origin in own_origins())
