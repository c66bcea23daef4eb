"""Where django-allauth's pages meet our sessions, limits and keys."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import respond_429
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from accounts import commands
from accounts.models import User
from accounts.tokens import SESSION_KEY
from chatproject import limits
from messaging.fields import seal_secret, unseal_secret


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Begin one of our sessions with every sign-in, end it with the sign-out; count what the API counts."""

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        session = commands.start_session(user=user, name=device_name(request), ip=request.META["REMOTE_ADDR"] or None)
        request.session[SESSION_KEY] = str(session.pk)

    def logout(self, request: HttpRequest) -> None:
        if session := getattr(request, "chat_session", None):
            commands.end_session(session=session)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        kept = getattr(context.request, "chat_session", None)
        commands.change_password(user=user, password=password, keep=kept)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            commands.require_sign_in_chance(username=_name(credentials), address=request.META["REMOTE_ADDR"])
        except limits.RateLimited:
            raise self.validation_error("too_many_login_attempts") from None
        self._login_failed_rl_usage = None

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        commands.note_sign_in_failure(username=_name(credentials), address=request.META["REMOTE_ADDR"])

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        if not limits.take([(limits.REGISTER, request.META["REMOTE_ADDR"])]).allowed:
            raise ImmediateHttpResponse(respond_429(request))
        saved: User = super().save_user(request, user, form, commit)
        return saved


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keep the secrets of second factors encrypted, like messages."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal_secret(text)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal_secret(base64.b64decode(encrypted_text))


def _name(credentials: dict[str, Any]) -> str:
    return str(credentials.get("username") or credentials.get("email") or "")


def device_name(request: HttpRequest) -> str:
    """Name a device by what its browser says of itself."""
    return request.headers.get("User-Agent", "")[:200]
