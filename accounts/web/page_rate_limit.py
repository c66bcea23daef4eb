"""Middleware that limits how many pages someone reads: each counts as a call, like calls of the API."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.web.base import READ, too_many
from chatproject.core import rate_limits
from chatproject.core.rate_limits import quotas
from chatproject.rest.problems import problem_response

PROBES = {"/healthz", "/readyz", "/metrics"}
"""Polled by monitoring, possibly from the IP address of the proxy, so they are not limited."""


class PageReads:
    """Count each page that is read against its reader, or against the IP address of someone who is not signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, named: Any) -> HttpResponse | None:
        """Return a 429 response instead of the page if the reader has exceeded the limit."""
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
