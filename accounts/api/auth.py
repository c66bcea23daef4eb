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
    """Oneself, with the tokens of the session that has begun.

    `device_token` is null for a device that showed the one by which it is known.
    """

    user: OwnJSON
    session_id: IdText
    device_token: str | None


class TicketJSON(TypedDict):
    """What opens one socket, once, within so many seconds."""

    ticket: str
    expires_in: Count


class AuthViewSet(API):
    """`/auth/…`: nobody needs to be signed in but to sign out."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    def limits_of(self, request: Request) -> rate_limits.Buckets:
        """New accounts are counted apart, by address."""
        asked = super().limits_of(request)
        return [(quotas.REGISTRATIONS, asked[0][1])] if self.action == "register" else asked

    @described("register", SignedInJSON, status=201, body=Registration, errors="409", is_public=True)
    @holds_secret
    def register(self, request: Request) -> Response:
        """Make an account and sign in."""
        said = self.body(request, Registration)
        named = {"device": said.pop("device", "")}
        try:
            with explained("password"):
                user = registration.register(**said)
        except registration.NameTaken as error:
            raise Conflict(str(error), pointer="/username") from None
        ask_to_confirm(request._request, user)
        return envelope(self._sign_in(request, user, named), 201)

    @described("signIn", SignedInJSON, body=Credentials, is_public=True)
    @holds_secret
    def token(self, request: Request) -> Response:
        """Sign in with name and password."""
        said = self.body(request, Credentials)
        here = {"address": request.META["REMOTE_ADDR"], "devices": self._devices(request, said)}
        user = passwords.check_password(username=said["username"], password=said["password"], **here)
        if user is None:
            raise Unauthenticated("Name and password do not match.", "bad_credentials")
        self._require_code(request, user, said)
        return envelope(self._sign_in(request, user, said))

    @described("refresh", PairJSON, body=Refresh, is_public=True)
    @holds_secret
    def refresh(self, request: Request) -> Response:
        """Turn a refresh token into the next pair."""
        session_id, refresh_id = read_refresh(self.body(request, Refresh)["refresh"])
        try:
            session = token_rotation.refresh_tokens(session_id=session_id, refresh_id=refresh_id)
        except sessions.SessionEnded:
            raise Unauthenticated("This session has ended.", "session_revoked") from None
        return envelope(issue_pair(session))

    def _require_code(self, request: Request, user: User, said: dict[str, Any]) -> None:
        """Unauthenticated unless a person with a second factor has shown a code."""
        here = {"address": request.META["REMOTE_ADDR"], "devices": self._devices(request, said)}
        if needs_code(user) and not ("code" in said and check_code(user=user, code=said["code"], **here)):
            raise Unauthenticated("A code from your app is needed, as `code`.", "bad_credentials")

    def _devices(self, request: Request, said: dict[str, Any]) -> Devices:
        return devices_of(request._request, token=said.get("device_token", ""))

    def _sign_in(self, request: Request, user: User, said: dict[str, Any]) -> SignedInJSON:
        try:
            session = sessions.start_session(
                user=user,
                name=said.get("device") or device_name(request._request),
                ip=request.META.get("REMOTE_ADDR") or None,
                language=browser_language(request._request),
                devices=self._devices(request, said),
            )
        except sessions.SessionEnded:
            raise Unauthenticated("The password has just been changed.", "bad_credentials") from None
        token = session.device_token or None
        pair = issue_pair(token_rotation.start_tokens(session=session))
        return {"user": own_json(user), **pair, "session_id": str(session.pk), "device_token": token}


class SessionViewSet(API):
    """What needs a session: to see, end and change what one is signed in with."""

    @described("signOut")
    def logout(self, request: SignedIn) -> Response:
        """End this session and its sockets."""
        sessions.sign_out(session=request.auth)
        return Response(status=204)

    @described("listSessions", SessionJSON, pagination="cursor")
    def list(self, request: SignedIn) -> Response:
        """The devices I am signed in on, the latest used first."""
        shown = [session_json(session, current=request.auth) for session in active_sessions(request.user)]
        return envelope_page(Page(shown, next=None, previous=None, has_more=False))

    @described("endSession")
    def destroy(self, request: SignedIn, pk: str) -> Response:
        """End one of my sessions."""
        sessions.end_session(session=active_sessions(request.user).get(pk=path_id(pk)))
        return Response(status=204)

    @described("endOtherSessions")
    def destroy_others(self, request: SignedIn) -> Response:
        """End all of my sessions but this one."""
        sessions.end_other_sessions(session=request.auth)
        return Response(status=204)

    @described("changePassword", body=NewPassword)
    def password(self, request: SignedIn) -> Response:
        """Change my password; all other sessions end, and the wallet signs in no more if I say so."""
        said = self.body(request, NewPassword)
        if not self._knows_password(request, said):
            raise Unauthenticated("The old password is not right, or a code is needed.", "bad_credentials")
        with explained("new_password"):
            validate_password(normal_password(said["new_password"]), request.user)
        wish = {"password": said["new_password"], "unlink_wallets": said["unlink_wallets"]}
        change_password(by=request.user, session=request.auth, **wish)
        return Response(status=204)

    def _knows_password(self, request: SignedIn, said: dict[str, Any]) -> bool:
        """Check the old password, which confirms that it is the person where a wallet is to be unlinked."""
        password, here = said["old_password"], self._here(request)
        if not said["unlink_wallets"]:
            return passwords.check_password(username=request.user.username, password=password, **here) is not None
        try:
            confirm_by_password(session=request.auth, password=password, code=said.get("code"), **here)
        except NotConfirmed:
            return False
        return True

    def _here(self, request: SignedIn) -> dict[str, Any]:
        return {"address": request.META["REMOTE_ADDR"], "devices": devices_of(request, session=request.auth)}

    @described("confirm", body=Confirmation)
    def confirm(self, request: SignedIn) -> Response:
        """Show once more that it is me: for five minutes, in this session, I may change what lets me in."""
        said: dict[str, Any] = {"code": None, **self.body(request, Confirmation)}
        by = confirm_by_password if "password" in said else confirm_by_wallet
        try:
            by(session=request.auth, **self._here(request), **said)
        except NotConfirmed:
            raise Unauthenticated("This does not show that it is you.", "bad_credentials") from None
        return Response(status=204)

    @described("issueTicket", TicketJSON, status=201)
    @holds_secret
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
