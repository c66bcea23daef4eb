"""The pages' door for wallets: what the wallet in a browser has signed lets its person in, or is linked."""

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
    """Let a person in, and make an account at first sight; who has a second factor is asked for it next."""
    then = get_next_redirect_url(request)
    if request.user.is_authenticated:
        return redirect(then or "inbox")
    try:
        user = user_of_wallet(wallet=_proven(request), address=request.META["REMOTE_ADDR"])
    except (WalletNotProven, RateLimited) as error:
        messages.error(request, _words(error))
        return redirect(passthrough_next_redirect_url(request, reverse("account_login"), "next"))
    record_authentication(request, user, "wallet")
    answer: HttpResponse = perform_login(request, Login(user=user, redirect_url=then))
    return answer


@signed_in("POST")
def link(request: SignedInRequest) -> HttpResponse:
    """Let me sign in with a wallet, too."""
    require_confirmed(request.chat_session)
    try:
        wallet = _proven(request)
    except (WalletNotProven, RateLimited) as error:
        messages.error(request, _words(error))
    else:
        with reporting_refusals(
            request, "Your wallet is linked: it signs you in, and your contacts find you by its address."
        ):
            linked_wallet.link_wallet(by=request.user, session=request.chat_session, wallet=wallet)
    return redirect("settings_security")


@signed_in("POST")
def unlink(request: SignedInRequest) -> HttpResponse:
    """Let my wallet sign me in no more."""
    with reporting_refusals(request, "Your wallet is unlinked."):
        linked_wallet.unlink_wallet(by=request.user, session=request.chat_session)
    return redirect("settings_security")


def _proven(request: HttpRequest) -> str:
    """Find the wallet that has signed what a form carries."""
    form = SignatureForm(request.POST)
    if not form.is_valid():
        raise WalletNotProven
    return verify_wallet(**form.cleaned_data, address=request.META["REMOTE_ADDR"])


def _words(error: Exception) -> str:
    return TOO_OFTEN if isinstance(error, RateLimited) else NO_PROOF
