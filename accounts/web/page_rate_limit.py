"""How many pages someone reads: each counts as a call, as the routes of the API count theirs."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.web.base import READ, too_many
from chatproject.core import rate_limits
from chatproject.core.rate_limits import quotas
from chatproject.rest.problems import problem_response

PROBES = {"/healthz", "/readyz", "/metrics"}
"""Asked by machines that watch the site, perhaps from the address of its proxy."""


class PageReads:
    """Count a page that is read for its reader, or for the address of whoever is not signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, named: Any) -> HttpResponse | None:
        """Answer 429 in the page's place where its reader has read too much."""
        is_route = hasattr(view, "cls")
        if request.method not in READ or is_route or request.path in PROBES:
            return None
        verdict = rate_limits.consume([_reader_of(request)])
        if verdict.allowed:
            return None
        error = rate_limits.RateLimited(verdict)
        if request.path.startswith("/api/"):
            return problem_response(request, 429, "rate_limited", str(error))
        return too_many(request, error)


def _reader_of(request: HttpRequest) -> tuple[rate_limits.Limit, object]:
    if request.user.is_authenticated:
        return quotas.CALLS, request.user.pk
    return quotas.CALLS_OF_ADDRESS, request.META["REMOTE_ADDR"]
