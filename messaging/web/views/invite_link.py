"""The page that an invitation link opens, for people who are signed in and people who are not."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from urllib.parse import urlencode

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.web.base import READ, WRITE, too_many
from accounts.web.person_view import initials, tone
from chatproject.core import rate_limits
from chatproject.core.encryption.errors import Unreadable
from chatproject.core.encryption.sealing import seal_secret, unseal_secret
from chatproject.core.errors import Gone, NotAllowed, Refused
from chatproject.core.rate_limits import quotas
from chatproject.server.compression import holds_secret
from conversations.access import members_of, memberships_of
from conversations.invite_links import accept_link, find_link
from conversations.models import InviteLink
from messaging.web.phrases import member_count, patterns

PENDING_LINK = "join"
"""The key in a browser's session of the encrypted link that a person uses as soon as they have signed in."""

View = Callable[..., HttpResponse]


def _secret_url(*methods: str) -> Callable[[View], View]:
    """Protect a page whose URL is a secret: browsers do not send it to other sites, and calls are limited."""

    def decorate(view: View) -> View:
        @never_cache
        @require_http_methods(methods)
        @wraps(view)
        def protected(request: HttpRequest, **named: str) -> HttpResponse:
            try:
                rate_limits.require([(quotas.CALLS_OF_ADDRESS, request.META["REMOTE_ADDR"])])
                response = view(request, **named)
            except rate_limits.RateLimited as error:
                response = too_many(request, error)
            except ObjectDoesNotExist:
                # The link or the group may be deleted while someone joins.
                raise Http404 from None
            except (Gone, NotAllowed) as refusal:
                response = render(request, "conversations/join_refused.html", _refusal(refusal), status=refusal.status)
            # Not `no-referrer`: browsers would send forms without their origin, which the CSRF check needs.
            response["Referrer-Policy"] = "strict-origin"
            return response

        return protected

    return decorate


@holds_secret
@_secret_url(*WRITE)
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show the group of an invitation link, and join it on a POST."""
    link = find_link(token, by=request.user if request.user.is_authenticated else None)
    if request.method != "POST":
        return _show(request, link, token)
    if request.user.is_authenticated:
        return _accept(request, token)
    request.session[PENDING_LINK] = b64encode(seal_secret(token, purpose=PENDING_LINK)).decode()
    return _to_sign_in()


@holds_secret
@_secret_url(*READ)
def join_after_sign_in(request: HttpRequest) -> HttpResponse:
    """Join the group whose link the person used before they had signed in."""
    if not request.user.is_authenticated:
        return _to_sign_in()
    token = _open_pending_link(request.session.pop(PENDING_LINK, ""))
    return _accept(request, token) if token else redirect("inbox")


def _open_pending_link(sealed: str) -> str:
    """Decrypt the link that `join` has stored; empty if its key is no longer in use."""
    with suppress(Unreadable):
        return unseal_secret(b64decode(sealed), purpose=PENDING_LINK)
    return ""


def _refusal(refusal: Gone | NotAllowed) -> dict[str, str]:
    title = "This invitation is over" if isinstance(refusal, Gone) else "You can't join by this invitation"
    return {"title": title, "reason": refusal.detail}


def _to_sign_in() -> HttpResponse:
    return redirect(f"{reverse('account_login')}?{urlencode({'next': reverse('join_after_sign_in')})}")


def _accept(request: HttpRequest, token: str) -> HttpResponse:
    try:
        conversation = accept_link(by=request.user, token=token)  # type: ignore[arg-type]
    except (Gone, NotAllowed):
        raise
    except Refused as refusal:
        return _show(request, find_link(token), token, refusal=refusal)
    return redirect("conversation", conversation.pk)


def _show(request: HttpRequest, link: InviteLink, token: str, *, refusal: Refused | None = None) -> HttpResponse:
    group = link.conversation
    user = request.user
    if user.is_authenticated and memberships_of(user).filter(conversation=group).exists():
        return redirect("conversation", group.pk)
    context = {
        "name": group.name,
        "initials": initials(group.name),
        "tone": tone(str(group.pk)),
        "count": member_count(members_of(group).count(), patterns()),
        "refusal": refusal.detail if refusal else "",
        "token": token,
    }
    return render(request, "conversations/join.html", context, status=refusal.status if refusal else 200)
