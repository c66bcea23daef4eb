"""REST routes for registration, sign-in, tokens, sessions, passwords and confirmations."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import SignedIn
from accounts.api.serializers import Confirmation, Credentials, NewPassword, Refresh, Registration
from accounts.auth import passwords, registration, sessions, token_rotation
from accounts.auth.allauth_adapter import ask_to_confirm, device_name
from accounts.auth.confirmation import NotConfirmed, confirm_by_password, confirm_by_wallet
from accounts.auth.known_devices import Devices, devices_of
from accounts.auth.password_change import change_password
from accounts.auth.second_factor import check_code, needs_code
from accounts.auth.sessions import active_sessions
from accounts.auth.socket_tickets import SECONDS, issue_ticket
from accounts.auth.tokens import PairJSON, Unauthenticated, issue_pair, read_refresh
from accounts.hashers import normal_password
from accounts.models import User
from accounts.people.languages import browser_language
from accounts.people.profiles import OwnJSON, SessionJSON, own_json, session_json
from chatproject.core import rate_limits
from chatproject.core.errors import Conflict
from chatproject.core.json_types import Count, IdText
from chatproject.core.pagination import Page
from chatproject.core.rate_limits import quotas
from chatproject.rest.describe import described
from chatproject.rest.views import API, envelope, envelope_page, path_id
from chatproject.server.compression import holds_secret


class SignedInJSON(PairJSON):
    """The signed-in person, with the tokens of the new session.

    `device_token` is null for a known device, which has sent its token.
    """

    user: OwnJSON
    session_id: IdText
    device_token: str | None


class TicketJSON(TypedDict):
    """A ticket that opens one socket, once, within `expires_in` seconds."""

    ticket: str
    expires_in: Count


class AuthViewSet(API):
    """The routes of `/auth/…` that need no session."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    def limits_of(self, request: Request) -> rate_limits.Buckets:
        """Count registrations separately, by IP address."""
        asked = super().limits_of(request)
        return [(quotas.REGISTRATIONS, asked[0][1])] if self.action == "register" else asked

    @described("register", SignedInJSON, status=201, body=Registration, errors="409", is_public=True)
    @holds_secret
    def register(self, request: Request) -> Response:
        """Create an account and sign in."""
        body = self.body(request, Registration)
        named = {"device": body.pop("device", "")}
        try:
            with errors_at("password"):
                user = registration.register(**body)
        except registration.NameTaken as error:
            raise Conflict(str(error), pointer="/username") from None
        ask_to_confirm(request._request, user)
        return envelope(self._sign_in(request, user, named), 201)

    @described("signIn", SignedInJSON, body=Credentials, is_public=True)
    @holds_secret
    def token(self, request: Request) -> Response:
        """Sign in with name and password."""
        body = self.body(request, Credentials)
        here = {"address": request.META["REMOTE_ADDR"], "devices": self._devices(request, body)}
        user = passwords.check_password(username=body["username"], password=body["password"], **here)
        if user is None:
            raise Unauthenticated("Name and password do not match.", "bad_credentials")
        self._require_code(request, user, body)
        return envelope(self._sign_in(request, user, body))

    @described("refresh", PairJSON, body=Refresh, is_public=True)
    @holds_secret
    def refresh(self, request: Request) -> Response:
        """Exchange a refresh token for the next pair of tokens."""
        session_id, refresh_id = read_refresh(self.body(request, Refresh)["refresh"])
        try:
            session = token_rotation.refresh_tokens(session_id=session_id, refresh_id=refresh_id)
        except sessions.SessionEnded:
            raise Unauthenticated("This session has ended.", "session_revoked") from None
        return envelope(issue_pair(session))

    def _require_code(self, request: Request, user: User, body: dict[str, Any]) -> None:
        """Raise Unauthenticated if a person has a second factor and the body has no valid code."""
        here = {"address": request.META["REMOTE_ADDR"], "devices": self._devices(request, body)}
        if needs_code(user) and not ("code" in body and check_code(user=user, code=body["code"], **here)):
            raise Unauthenticated("A code from your app is needed, as `code`.", "bad_credentials")

    def _devices(self, request: Request, body: dict[str, Any]) -> Devices:
        return devices_of(request._request, token=body.get("device_token", ""))

    def _sign_in(self, request: Request, user: User, body: dict[str, Any]) -> SignedInJSON:
        try:
            session = sessions.start_session(
                user=user,
                name=body.get("device") or device_name(request._request),
                ip=request.META.get("REMOTE_ADDR") or None,
                language=browser_language(request._request),
                devices=self._devices(request, body),
            )
        except sessions.SessionEnded:
            raise Unauthenticated("The password has just been changed.", "bad_credentials") from None
        token = session.device_token or None
        pair = issue_pair(token_rotation.start_tokens(session=session))
        return {"user": own_json(user), **pair, "session_id": str(session.pk), "device_token": token}


class SessionViewSet(API):
    """The routes of `/auth/…` that need a session."""

    @described("signOut")
    def logout(self, request: SignedIn) -> Response:
        """End this session and its sockets."""
        sessions.sign_out(session=request.auth)
        return Response(status=204)

    @described("listSessions", SessionJSON, pagination="cursor")
    def list(self, request: SignedIn) -> Response:
        """List the devices that you are signed in on, the last used first."""
        shown = [session_json(session, current=request.auth) for session in active_sessions(request.user)]
        return envelope_page(Page(shown, next=None, previous=None, has_more=False))

    @described("endSession")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """End one of your sessions."""
        sessions.end_session(session=active_sessions(request.user).get(pk=path_id(pk)))
        return Response(status=204)

    @described("endOtherSessions")
    def destroy_others(self, request: SignedIn) -> Response:
        """End all of your sessions except this one."""
        sessions.end_other_sessions(session=request.auth)
        return Response(status=204)

    @described("changePassword", body=NewPassword)
    def password(self, request: SignedIn) -> Response:
        """Change your password. All other sessions end; `unlink_wallets` unlinks the wallet as well."""
        body = self.body(request, NewPassword)
        if not self._knows_password(request, body):
            raise Unauthenticated("The old password is not right, or a code is needed.", "bad_credentials")
        with errors_at("new_password"):
            validate_password(normal_password(body["new_password"]), request.user)
        wish = {"password": body["new_password"], "unlink_wallets": body["unlink_wallets"]}
        change_password(by=request.user, session=request.auth, **wish)
        return Response(status=204)

    def _knows_password(self, request: SignedIn, body: dict[str, Any]) -> bool:
        """Return whether the old password is right; with `unlink_wallets`, it also confirms the session."""
        password, here = body["old_password"], self._origin(request)
        if not body["unlink_wallets"]:
            return passwords.check_password(username=request.user.username, password=password, **here) is not None
        try:
            confirm_by_password(session=request.auth, password=password, code=body.get("code"), **here)
        except NotConfirmed:
            return False
        return True

    def _origin(self, request: SignedIn) -> dict[str, Any]:
        return {"address": request.META["REMOTE_ADDR"], "devices": devices_of(request, session=request.auth)}

    @described("confirm", body=Confirmation)
    def confirm(self, request: SignedIn) -> Response:
        """Confirm your identity: for five minutes, this session may change how you sign in."""
        body: dict[str, Any] = {"code": None, **self.body(request, Confirmation)}
        by = confirm_by_password if "password" in body else confirm_by_wallet
        try:
            by(session=request.auth, **self._origin(request), **body)
        except NotConfirmed:
            raise Unauthenticated("This does not show that it is you.", "bad_credentials") from None
        return Response(status=204)

    @described("issueTicket", TicketJSON, status=201)
    @holds_secret
    def ticket(self, request: SignedIn) -> Response:
        """Issue a ticket that opens one socket within a minute."""
        return envelope({"ticket": issue_ticket(request.auth), "expires_in": SECONDS}, 201)


@contextmanager
def errors_at(field: str) -> Iterator[None]:
    """Turn an error of a Django validator into an error of this field."""
    try:
        yield
    except DjangoValidationError as error:
        raise exceptions.ValidationError({field: error.messages}) from error
