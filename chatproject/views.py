"""Pages and routes about the server itself: its limits, documents, health and metrics."""

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
from chatproject.core.announced_limits import ServerJSON, limits
from chatproject.core.generation import known_generation
from chatproject.core.metrics import CONTENT_TYPE, exposition
from chatproject.core.realtime import timestamp
from chatproject.rest.describe import described
from chatproject.rest.problems import not_found
from chatproject.rest.views import API, envelope
from chatproject.server.liveness import BODY

FORWARDED = ("x-forwarded-", "forwarded", "via", "x-real-ip")


class ServerViewSet(API):
    """`/server`."""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    @described("getServer", ServerJSON, is_public=True, has_etag=True)
    def retrieve(self, request: Request) -> Response:
        """Name, version, time and limits, for everyone."""
        server: ServerJSON = {
            "name": settings.SERVER_NAME,
            "version": settings.VERSION,
            "feature_level": settings.FEATURE_LEVEL,
            "features": settings.FEATURES,
            "generation": known_generation(),
            "time": timestamp(timezone.now()),
            "limits": limits(),
            "retention_days": settings.RETENTION_DAYS,
        }
        return envelope(server)


def api_docs(request: HttpRequest) -> HttpResponse:
    """Show the REST API to read and to try. It is public, because the document contains nothing about this site."""
    return render(request, "api_docs.html")


def document(request: HttpRequest, name: str) -> HttpResponse:
    """Return one of the generated documents."""
    return HttpResponse(_read(name), content_type="application/yaml")


@cache
def _read(name: str) -> bytes:
    return (settings.BASE_DIR / "docs" / name).read_bytes()


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process is running."""
    return HttpResponse(BODY, content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether every required service is available; 503 if one is not."""
    states = health.service_states()
    return JsonResponse(states, status=200 if all(states.values()) else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics of this process to this machine and to whoever has the token; everyone else gets a 404."""
    if not (_has_metrics_token(request) or _is_from_this_machine(request)):
        return not_found(request)
    followers = {each.follower: (each.seconds, each.is_rebuilding) for each in health.follower_delays()}
    text = exposition(partitions_ahead=health.weeks_ready(), followers=followers)
    return HttpResponse(text, content_type=CONTENT_TYPE)


def _has_metrics_token(request: HttpRequest) -> bool:
    token = bearer(request.headers.get("Authorization", "")) or ""
    return bool(settings.METRICS_TOKEN) and compare_digest(token.encode(), settings.METRICS_TOKEN.encode())


def _is_from_this_machine(request: HttpRequest) -> bool:
    """Tell whether a request comes from this machine: over loopback, with no proxy in front of us."""
    if settings.BEHIND_TLS or settings.TRUSTED_PROXIES:
        return False
    if any(name.lower().startswith(FORWARDED) for name in request.headers):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
