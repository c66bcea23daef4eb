"""What the server says of itself."""

from functools import cache
from hmac import compare_digest
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.auth.tokens import bearer
from chatproject import health
from chatproject.core.client_limits import ServerJSON, limits
from chatproject.core.metrics import CONTENT_TYPE, exposition
from chatproject.core.realtime import timestamp
from chatproject.rest.describe import described
from chatproject.rest.problems import not_found
from chatproject.rest.views import API, envelope

FORWARDED = ("x-forwarded-", "forwarded", "via", "x-real-ip")


class ServerViewSet(API):
    """`/server`."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @described("getServer", ServerJSON, is_public=True, has_etag=True)
    def retrieve(self, request: Request) -> Response:
        """Name, version, time and limits, for everyone."""
        said: ServerJSON = {
            "name": settings.SERVER_NAME,
            "version": settings.VERSION,
            "feature_level": settings.FEATURE_LEVEL,
            "features": settings.FEATURES,
            "time": timestamp(timezone.now()),
            "limits": limits(),
            "retention_days": settings.RETENTION_DAYS,
        }
        return envelope(said)


def api_docs(request: HttpRequest) -> HttpResponse:
    """The document of the REST API, to read and to try; open, as the document tells nothing of this place."""
    return render(request, "api_docs.html")


def document(request: HttpRequest, name: str) -> HttpResponse:
    """One of the documents that are made from the code, as a file."""
    return HttpResponse(_read(name), content_type="application/yaml")


@cache
def _read(name: str) -> bytes:
    return (settings.BASE_DIR / "docs" / name).read_bytes()


def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Every part that is needed answers; 503 and which one does not."""
    parts = health.state()
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """What this process counts, for this machine and whoever has the token; for the rest there is no such page."""
    if not (_has_metrics_token(request) or _is_from_this_machine(request)):
        return not_found(request)
    return HttpResponse(exposition(partitions_ahead=health.weeks_ready()), content_type=CONTENT_TYPE)


def _has_metrics_token(request: HttpRequest) -> bool:
    shown = bearer(request.headers.get("Authorization", "")) or ""
    return bool(settings.METRICS_TOKEN) and compare_digest(shown.encode(), settings.METRICS_TOKEN.encode())


def _is_from_this_machine(request: HttpRequest) -> bool:
    """Tell whether nobody else can be behind a request: it came over loopback, and there is no proxy before us."""
    if settings.BEHIND_TLS or settings.TRUSTED_PROXIES:
        return False
    if any(name.lower().startswith(FORWARDED) for name in request.headers):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
