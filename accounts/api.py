"""The REST door to people: register, sign in, refresh, sign out, and oneself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import commands
from accounts.adapter import ask_to_confirm, device_name
from accounts.directory import live_sessions
from accounts.factors import needs_code, use_code
from accounts.models import User
from accounts.profiles import OwnJSON, SessionJSON, own_json, session_json
from accounts.serializers import Credentials, NewPassword, Refresh, Registration
from accounts.tickets import SECONDS, issue_ticket
from accounts.tokens import PairJSON, Unauthenticated, issue_pair, read_refresh
from chatproject import limits
from chatproject.api import API, SignedIn, envelope, envelope_page, path_id
from chatproject.documents import described
from chatproject.pages import Page
from chatproject.shapes import Count, IdText
from conversations.access import Conflict


class SignedInJSON(PairJSON):
    """Oneself, with the tokens of the session that has begun."""

    user: OwnJSON
    session_id: IdText


class TicketJSON(TypedDict):
    """What opens one socket, once, within so many seconds."""

    ticket: str
    expires_in: Count


class AuthViewSet(API):
    """`/auth/…`: nobody needs to be signed in but to sign out."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    def limits_of(self, request: Request) -> limits.Asked:
        """New accounts are counted apart, by address."""
        asked = super().limits_of(request)
        return [(limits.REGISTER, asked[0][1])] if self.action == "register" else asked

    @described("register", SignedInJSON, status=201, takes=Registration, but="409", is_open=True)
    def register(self, request: Request) -> Response:
        """Make an account and sign in."""
        said = self.body(request, Registration)
        device = said.pop("device", "")
        try:
            with explained("password"):
                user = commands.register(**said)
        except commands.NameTaken:
            raise Conflict("Someone has this name already.", pointer="/username") from None
        ask_to_confirm(request._request, user)
        return envelope(self._sign_in(request, user, device), 201)

    @described("signIn", SignedInJSON, takes=Credentials, is_open=True)
    def token(self, request: Request) -> Response:
        """Sign in with name and password."""
        said = self.body(request, Credentials)
        user = commands.check_password(
            username=said["username"], password=said["password"], address=request.META["REMOTE_ADDR"]
        )
        if user is None:
            raise Unauthenticated("Name and password do not match.", "bad_credentials")
        if needs_code(user) and not self._has_code(user, said.get("code"), request.META["REMOTE_ADDR"]):
            raise Unauthenticated("A code from your app is needed, as `code`.", "bad_credentials")
        return envelope(self._sign_in(request, user, said.get("device", "")))

    @described("refresh", PairJSON, takes=Refresh, is_open=True)
    def refresh(self, request: Request) -> Response:
        """Turn a refresh token into the next pair."""
        session_id, refresh_id = read_refresh(self.body(request, Refresh)["refresh"])
        try:
            session = commands.refresh_tokens(session_id=session_id, refresh_id=refresh_id)
        except commands.SessionEnded:
            raise Unauthenticated("This session has ended.", "session_revoked") from None
        return envelope(issue_pair(session))

    def _has_code(self, user: User, code: str | None, address: str) -> bool:
        if code is None:
            return False
        commands.take_sign_in_chance(username=user.username, address=address)
        if not use_code(user=user, code=code):
            return False
        commands.return_sign_in_chance(username=user.username, address=address)
        return True

    def _sign_in(self, request: Request, user: User, device: str) -> SignedInJSON:
        session = commands.start_session(
            user=user, name=device or device_name(request._request), ip=request.META.get("REMOTE_ADDR") or None
        )
        pair = issue_pair(commands.start_tokens(session=session))
        return {"user": own_json(user), **pair, "session_id": str(session.pk)}


class SessionViewSet(API):
    """What needs a session: to see, end and change what one is signed in with."""

    @described("signOut")
    def logout(self, request: SignedIn) -> Response:
        """End this session and its sockets."""
        commands.end_session(session=request.auth)
        return Response(status=204)

    @described("listSessions", SessionJSON, paged="cursor")
    def list(self, request: SignedIn) -> Response:
        """The devices I am signed in on, the latest used first."""
        shown = [session_json(session, current=request.auth) for session in live_sessions(request.user)]
        return envelope_page(Page(shown, next=None, previous=None, has_more=False))

    @described("endSession")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """End one of my sessions."""
        commands.end_session(session=live_sessions(request.user).get(pk=path_id(pk)))
        return Response(status=204)

    @described("endOtherSessions")
    def destroy_others(self, request: SignedIn) -> Response:
        """End all of my sessions but this one."""
        commands.end_other_sessions(session=request.auth)
        return Response(status=204)

    @described("changePassword", takes=NewPassword)
    def password(self, request: SignedIn) -> Response:
        """Change my password; all other sessions end."""
        said = self.body(request, NewPassword)
        name, address = request.user.username, request.META["REMOTE_ADDR"]
        if not commands.check_password(username=name, password=said["old_password"], address=address):
            raise Unauthenticated("The old password is not right.", "bad_credentials")
        with explained("new_password"):
            validate_password(said["new_password"], request.user)
        commands.change_password(user=request.user, password=said["new_password"], keep=request.auth)
        return Response(status=204)

    @described("issueTicket", TicketJSON, status=201)
    def ticket(self, request: SignedIn) -> Response:
        """A ticket that opens one socket within a minute."""
        return envelope({"ticket": issue_ticket(request.auth), "expires_in": SECONDS}, 201)


@contextmanager
def explained(field: str) -> Iterator[None]:
    """Say of which field a validator of Django's speaks."""
    try:
        yield
    except DjangoValidationError as error:
        raise exceptions.ValidationError({field: error.messages}) from error
