"""What the server says of itself."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.realtime import timestamp
from chatproject.about import limits
from chatproject.api import envelope
from chatproject.redis import redis
from messaging.partitions import weeks_ahead

logger = logging.getLogger(__name__)


@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
def server(request: Request) -> Response:
    """Name, version, time and limits, for everyone."""
    return envelope(
        {
            "name": settings.SERVER_NAME,
            "version": settings.VERSION,
            "feature_level": settings.FEATURE_LEVEL,
            "time": timestamp(timezone.now()),
            "limits": limits(),
            "retention_days": settings.RETENTION_DAYS,
        }
    )


def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Every part that is needed answers; 503 and which one does not."""
    parts = {
        "database": _works(lambda: connection.cursor().execute("SELECT 1")),
        "redis": _works(lambda: redis().ping()),
        "storage": _works(lambda: default_storage.exists("readyz")),
    }
    parts["partitions"] = parts["database"] and weeks_ahead() >= 1
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _works(probe: Callable[[], object]) -> bool:
    try:
        probe()
    except Exception:
        logger.exception("a part of the service does not answer")
        return False
    return True
