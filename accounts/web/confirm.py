"""The pages on which a person confirms their identity."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from accounts.auth.allauth_adapter import AccountAdapter, attempt_origin
from accounts.auth.confirmation import record_confirmation
from accounts.web.base import WRITE, SignedInRequest, form_data, show_form, signed_in
from accounts.web.confirmation_forms import ConfirmForm


@signed_in(*WRITE)
def confirm(request: SignedInRequest) -> HttpResponse:
    """Ask for the password or the wallet, with a code if there is a second factor; then redirect to the next page."""
    then = get_next_redirect_url(request) or reverse("settings_security")
    form = ConfirmForm(form_data(request), session=request.chat_session, **attempt_origin(request))
    if form.is_valid():
        return resume_request(request) or redirect(then)
    context = {
        "redirect_field": format_html('<input type="hidden" name="next" value="{}">', then),
        "reauthentication_alternatives": _alternatives(request, then),
    }
    return show_form(request, "account/confirm.html", form, **context)


def _alternatives(request: SignedInRequest, then: str) -> list[dict[str, Any]]:
    """Return the other ways to confirm, each of which leads to the same page."""
    ways = AccountAdapter(request).get_reauthentication_methods(request.user)[1:]
    return [{**way, "url": f"{way['url']}?{urlencode({'next': then})}"} for way in ways]


class ConfirmByPasskeyView(ReauthenticateWebAuthnView):  # type: ignore[misc]
    """Confirmation by a passkey, which needs no code: it is a second factor by itself."""

    def form_valid(self, form: Any) -> HttpResponse:
        record_confirmation(session=self.request.chat_session)
        answer: HttpResponse = super().form_valid(form)
        return answer
