"""What all pages share: authentication, rate limits, forms, and messages about results and refusals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import Session, User
from chatproject.core import rate_limits
from chatproject.core.errors import ConfirmationRequired, Refused
from chatproject.core.pagination import BadCursor, OldCursor
from chatproject.core.rate_limits import RateLimited, quotas
from chatproject.server.body_limit import body_size

P = ParamSpec("P")


class SignedInRequest(HttpRequest):
    """A request of a signed-in person; `login_required` wraps every view that takes one."""

    user: User
    chat_session: Session


View = Callable[Concatenate[SignedInRequest, P], HttpResponse]


def signed_in(*methods: str) -> Callable[[View[P]], Callable[..., HttpResponse]]:
    """Require sign-in and these methods for a page; objects that don't exist, or are not the person's, are a 404."""

    def decorate(view: View[P]) -> Callable[..., HttpResponse]:
        @never_cache
        @login_required
        @require_http_methods(methods)
        @wraps(view)
        def opened(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                if request.method == "POST":
                    rate_limits.require(
                        [(quotas.CALLS, request.user.pk)], cost=quotas.CALLS.cost_of(body_size(request))
                    )
                return view(request, *args, **kwargs)
            except RateLimited as error:
                return too_many(request, error)
            except (ObjectDoesNotExist, BadCursor):
                raise Http404 from None
            except OldCursor:
                return to_first_page(request)
            except ConfirmationRequired:
                return to_confirm(reverse("settings_security"))

        return opened

    return decorate


def to_first_page(request: HttpRequest) -> HttpResponse:
    """Redirect to the first page of a list, whose other pages have moved."""
    query = request.GET.copy()
    query.pop("cursor", None)
    return redirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def too_many(request: HttpRequest, error: RateLimited) -> HttpResponse:
    """Return the 429 page, with the headers of the rate limit."""
    answer = render(request, "429.html", status=429)
    for name, value in error.verdict.headers().items():
        answer[name] = value
    return answer


READ = ("GET", "HEAD")
WRITE = ("GET", "HEAD", "POST")


def to_confirm(then: str) -> HttpResponse:
    """Redirect a person to the confirmation page, which then leads them to the page `then`."""
    return redirect(f"{reverse('confirm')}?{urlencode({'next': then})}")


def form_data(request: HttpRequest) -> Any:
    """Return the data of a form that was sent; None if the page was only opened."""
    return request.POST if request.method == "POST" else None


def show_form(request: HttpRequest, template: str, form: forms.Form, **context: Any) -> HttpResponse:
    """Render a page with its form: status 400 if the form has errors, 429 if a rate limit was exceeded."""
    status = getattr(form, "status", 400) if form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


@contextmanager
def reporting_refusals(request: HttpRequest, done: str = "") -> Iterator[None]:
    """Add a message for the next page: `done` on success, or why a command refused."""
    try:
        yield
    except ConfirmationRequired:
        raise
    except (Refused, RateLimited) as refusal:
        messages.error(request, str(refusal))
    else:
        if done:
            messages.success(request, done)
