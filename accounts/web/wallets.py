"""Pages that sign a person in with the wallet of their browser, or link and unlink it."""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url, passthrough_next_redirect_url
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.auth import linked_wallet
from accounts.auth.confirmation import require_confirmed
from accounts.wallets.sign_in import WalletNotProven, user_of_wallet, verify_wallet
from accounts.web.base import SignedInRequest, reporting_refusals, signed_in
from accounts.web.confirmation_forms import SignatureForm
from chatproject.core.rate_limits import RateLimited

NO_PROOF = "That does not show that this wallet is yours. Please try again."
TOO_OFTEN = "Too many failed attempts. Please wait a few minutes."


@never_cache
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a person in; create an account for a new wallet. A second factor is asked for on the next page."""
    then = get_next_redirect_url(request)
    if request.user.is_authenticated:
        return redirect(then or "inbox")
    try:
        user = user_of_wallet(wallet=_verified_wallet(request), address=request.META["REMOTE_ADDR"])
    except (WalletNotProven, RateLimited) as error:
        messages.error(request, _error_message(error))
        return redirect(passthrough_next_redirect_url(request, reverse("account_login"), "next"))
    record_authentication(request, user, "wallet")
    answer: HttpResponse = perform_login(request, Login(user=user, redirect_url=then))
    return answer


@signed_in("POST")
def link(request: SignedInRequest) -> HttpResponse:
    """Link a wallet to the account, for signing in."""
    require_confirmed(request.chat_session)
    try:
        wallet = _verified_wallet(request)
    except (WalletNotProven, RateLimited) as error:
        messages.error(request, _error_message(error))
    else:
        with reporting_refusals(
            request, "Your wallet is linked: it signs you in, and your contacts find you by its address."
        ):
            linked_wallet.link_wallet(by=request.user, session=request.chat_session, wallet=wallet)
    return redirect("settings_security")


@signed_in("POST")
def unlink(request: SignedInRequest) -> HttpResponse:
    """Unlink the wallet from the account."""
    with reporting_refusals(request, "Your wallet is unlinked."):
        linked_wallet.unlink_wallet(by=request.user, session=request.chat_session)
    return redirect("settings_security")


def _verified_wallet(request: HttpRequest) -> str:
    """Return the wallet that has signed the message of a form. Raises WalletNotProven if it is not valid."""
    form = SignatureForm(request.POST)
    if not form.is_valid():
        raise WalletNotProven
    return verify_wallet(**form.cleaned_data, address=request.META["REMOTE_ADDR"])


def _error_message(error: Exception) -> str:
    return TOO_OFTEN if isinstance(error, RateLimited) else NO_PROOF
