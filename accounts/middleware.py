"""A browser's session is one of ours, or it is nobody's."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.commands import note_use
from accounts.tokens import of_cookie
from conversations.access import Suspended


class CurrentSession:
    """Put the `Session` of a signed-in browser on the request; sign it out where that session has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.chat_session = None  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            session = of_cookie(request)
            if session is None or session.user_id != request.user.pk:
                logout(request)
            else:
                note_use(session=session)
            request.chat_session = session  # type: ignore[attr-defined]
            if session is not None and session.user.suspended_at and request.path != reverse("account_logout"):
                raise Suspended.of(session.user)
        return self.get_response(request)
