"""What all REST routes share: the envelope, rate limits, and parsing of bodies, paths and queries."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import override
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from chatproject.core import rate_limits
from chatproject.core.errors import Invalid
from chatproject.core.ids import parse_uuid7
from chatproject.core.pagination import PAGE_SIZE, PAGE_SIZE_MAX, Page
from chatproject.core.rate_limits import quotas
from chatproject.rest.describe import Description
from chatproject.server import etags
from chatproject.server.body_limit import body_size

CHARGED = "parley.charged"
"""Key in the scope of a call that was counted already, before Django; its value is the verdict."""


def envelope(data: Any, status: int = 200) -> Response:
    """Answer with one object."""
    return Response({"data": data}, status=status)


def envelope_page(page: Page[Any]) -> Response:
    """Answer with a page of a list."""
    pagination = {"next": page.next, "previous": page.previous, "has_more": page.has_more}
    return Response({"data": page.items, "pagination": pagination})


class API(ViewSet):
    """The base of all view sets: they answer with an envelope or a problem document, and are rate limited."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in one language; otherwise messages of libraries would be translated, and ours would not."""
        with override(settings.LANGUAGE_CODE):
            return super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Authenticate the caller. A call that was counted for a person whose session has ended is not theirs."""
        try:
            super().perform_authentication(request)
        except Exception:
            if charged := _charged(request):
                rate_limits.refund(charged)
            raise

    def check_throttles(self, request: Request) -> None:
        """Count the call. DRF calls this after authentication."""
        rate_limits.forget_last_charge()
        if charged := _charged(request):
            self.verdict = rate_limits.allowed_or_refused(charged)
            return
        buckets = self.limits_of(request)
        self.verdict = rate_limits.require(buckets, cost=[self.cost_of(request, limit) for limit, _ in buckets])

    def limits_of(self, request: Request) -> rate_limits.Buckets:
        """Return the limits that this call consumes, each with its subject."""
        if request.user.is_authenticated:
            return [(quotas.CALLS, request.user.pk)]
        return [(quotas.CALLS_OF_ADDRESS, request.META["REMOTE_ADDR"])]

    def cost_of(self, request: Request, limit: rate_limits.Limit) -> int:
        """Return what this call consumes from a limit; a larger body costs more."""
        return limit.cost_of(body_size(request._request))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        finished: Response = super().finalize_response(request, response, *args, **kwargs)
        if self.has_etag(request):
            etags.add_etag(request, finished)
        # Answers with tokens are as private as answers to people who are signed in.
        finished.headers.setdefault("Cache-Control", "no-store")
        verdict = rate_limits.last_charge() or getattr(self, "verdict", None)
        for name, value in verdict.headers().items() if verdict else ():
            finished.headers.setdefault(name, value)
        return finished

    def has_etag(self, request: Request) -> bool:
        """Tell whether the answer to this call gets an ETag."""
        about = getattr(getattr(self, self.action or "", None), "description", None)
        return isinstance(about, Description) and about.has_etag

    def body(self, request: Request, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Validate the request body, and return its values."""
        checked = serializer(data=request.data)
        checked.is_valid(raise_exception=True)
        validated: dict[str, Any] = checked.validated_data
        return validated


def _charged(request: Request) -> rate_limits.Verdict | None:
    """Return the verdict about a call that was counted before Django."""
    found: rate_limits.Verdict | None = getattr(request._request, "scope", {}).get(CHARGED)
    return found


def path_id(text: str) -> Any:
    """Parse an id in a path; Invalid if it is no UUID version 7."""
    try:
        return parse_uuid7(text)
    except ValueError:
        raise Invalid("This is not a UUID version 7.", pointer="/id") from None


def limit_of(request: Request, default: int = PAGE_SIZE) -> int:
    """Read the requested page size, at most 100."""
    text = request.query_params.get("limit", str(default))
    if not (text.isascii() and text.isdigit()):
        raise Invalid("This must be a whole number.", pointer="/limit")
    digits = text.lstrip("0")
    if not digits:
        raise Invalid("Ask for one item at least.", pointer="/limit")
    # Never parse a number with a million digits.
    return min(int(digits[:4]), PAGE_SIZE_MAX)


def number_of(request: Request, name: str) -> int | None:
    """Read a position from the query; Invalid for anything but digits."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Invalid("This must be a whole number.", pointer=f"/{name}")
    return int(text)


def flag_of(request: Request, name: str) -> bool:
    """Read a boolean from the query; absent means false."""
    text = request.query_params.get(name, "false").lower()
    if text not in {"true", "false", "1", "0"}:
        raise Invalid("This must be true or false.", pointer=f"/{name}")
    return text in {"true", "1"}
