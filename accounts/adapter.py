"""Where django-allauth's pages meet our sessions."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.http import HttpRequest

from accounts.commands import change_password, end_session, start_session
from accounts.models import User
from accounts.tokens import SESSION_KEY


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Begin one of our sessions with every sign-in, end it with the sign-out."""

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        session = start_session(user=user, name=device_name(request), ip=request.META.get("REMOTE_ADDR") or None)
        request.session[SESSION_KEY] = str(session.pk)

    def logout(self, request: HttpRequest) -> None:
        if session := getattr(request, "chat_session", None):
            end_session(session=session)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        change_password(user=user, password=password, keep=getattr(context.request, "chat_session", None))


def device_name(request: HttpRequest) -> str:
    """Name a device by what its browser says of itself."""
    return request.headers.get("User-Agent", "")[:200]
