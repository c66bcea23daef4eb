"""Middleware: the session of a signed-in browser, and the theme and language that its person has chosen."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import suspend_request
from django.contrib.auth import SESSION_KEY as USER_KEY
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation

from accounts.auth.confirmation import is_confirmed
from accounts.auth.second_factor import needs_code
from accounts.auth.sessions import record_use
from accounts.auth.tokens import session_of_cookie
from accounts.people.languages import browser_language, code_of
from accounts.people.user_settings import AUTO, settings_of
from chatproject.core.errors import Suspended
from chatproject.core.generation import known_generation

GUARDED = {
    "account_set_password",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_deactivate_totp",
    "mfa_download_recovery_codes",
    "mfa_edit_webauthn",
    "mfa_generate_recovery_codes",
    "mfa_list_webauthn",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
}
"""Pages of django-allauth that show or change how a person signs in; they need a confirmation."""
GUARDED_BY_CODE = {"account_change_password"}
"""A page that asks for the password itself: it needs a confirmation only of people with a second factor."""
GUARDED_WHEN_SENT = {"account_email"}
"""A page that needs a confirmation only when its form is sent; the form is kept until the person has confirmed."""
CLEARED = '"cache", "storage"'
"""What a browser deletes of this site after a sign-out. The server deletes the cookies itself."""


class CurrentSession:
    """Set `request.chat_session` to the `Session` of a signed-in browser; sign the browser out if it has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.chat_session = None  # type: ignore[attr-defined]
        before = request.session.get(USER_KEY)
        if request.user.is_authenticated:
            session = session_of_cookie(request)
            if session is None or session.user_id != request.user.pk:
                logout(request)
            else:
                record_use(session=session, language=browser_language(request))
            request.chat_session = session  # type: ignore[attr-defined]
            if session is not None and session.user.suspended_at and request.path != reverse("account_logout"):
                raise Suspended.because(session.user.suspension_reason)
        response = self.get_response(request)
        if before and before != request.session.get(USER_KEY):
            response["Clear-Site-Data"] = CLEARED
        return response

    def process_view(self, request: Any, view: Any, args: Any, named: Any) -> HttpResponse | None:
        """Redirect a person to the confirmation page before a page that needs a confirmation."""
        page, session = request.resolver_match.url_name, request.chat_session
        if session is None or not _is_guarded(page, request) or is_confirmed(session):
            return None
        if page in GUARDED_WHEN_SENT:
            asked: HttpResponse = suspend_request(request, reverse("confirm"))
            return asked
        return redirect(f"{reverse('confirm')}?{urlencode({'next': request.path})}")


def _is_guarded(page: str | None, request: Any) -> bool:
    if page in GUARDED_WHEN_SENT:
        return bool(request.method == "POST")
    return page in GUARDED or (page in GUARDED_BY_CODE and needs_code(request.user))


class Preferences:
    """Apply the theme and the language of a signed-in person; other pages have those of the browser.

    Also set `request.generation`, before anything is read that a page shows: its script compares it with the socket's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if session := request.chat_session:  # type: ignore[attr-defined]
            request.generation = known_generation()  # type: ignore[attr-defined]
            wanted = settings_of(session.user)
            request.theme = wanted["theme"]  # type: ignore[attr-defined]
            if wanted["language"] != AUTO:
                request.locale = wanted["language"]  # type: ignore[attr-defined]
                request.LANGUAGE_CODE = code_of(wanted["language"])
                translation.activate(request.LANGUAGE_CODE)
        return self.get_response(request)
