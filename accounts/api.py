"""The REST door to people: register, sign in, refresh, sign out, and oneself."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import commands
from accounts.adapter import device_name
from accounts.models import User
from accounts.profiles import own_json
from accounts.serializers import Credentials, Refresh, Registration
from accounts.tokens import Unauthenticated, issue_pair, read_refresh
from chatproject.api import API, SignedIn, envelope
from conversations.access import Conflict


class AuthViewSet(API):
    """`/auth/…`: nobody needs to be signed in but to sign out."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    def register(self, request: Request) -> Response:
        """Make an account and sign in."""
        said = self.body(request, Registration)
        device = said.pop("device", "")
        try:
            user = commands.register(**said)
        except commands.NameTaken:
            raise Conflict("Someone has this name already.", pointer="/username") from None
        except DjangoValidationError as error:
            raise exceptions.ValidationError({"password": error.messages}) from error
        return envelope(self._sign_in(request, user, device), 201)

    def token(self, request: Request) -> Response:
        """Sign in with name and password."""
        said = self.body(request, Credentials)
        user = commands.check_password(username=said["username"], password=said["password"], request=request._request)
        if user is None:
            raise Unauthenticated("Name and password do not match.", "bad_credentials")
        return envelope(self._sign_in(request, user, said.get("device", "")))

    def refresh(self, request: Request) -> Response:
        """Turn a refresh token into the next pair."""
        session_id, refresh_id = read_refresh(self.body(request, Refresh)["refresh"])
        try:
            session = commands.refresh_tokens(session_id=session_id, refresh_id=refresh_id)
        except commands.SessionEnded:
            raise Unauthenticated("This session has ended.", "session_revoked") from None
        return envelope(issue_pair(session))

    def _sign_in(self, request: Request, user: User, device: str) -> dict[str, Any]:
        session = commands.start_session(
            user=user, name=device or device_name(request._request), ip=request.META.get("REMOTE_ADDR") or None
        )
        pair = issue_pair(commands.start_tokens(session=session))
        return {"user": own_json(user), **pair, "session_id": str(session.pk)}


class SessionViewSet(API):
    """What needs a session: to end it, and to see oneself."""

    def logout(self, request: SignedIn) -> Response:
        """End this session and its sockets."""
        commands.end_session(session=request.auth)
        return Response(status=204)

    def me(self, request: SignedIn) -> Response:
        """Show oneself."""
        return envelope(own_json(request.user))
