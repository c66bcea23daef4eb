"""Every answer can be found again in the logs."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.ids import uuid7

GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Give each request an id, or keep the one a proxy gave it, and say it in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if GIVEN.fullmatch(given) else str(uuid7())  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        if request.user.is_authenticated if hasattr(request, "user") else False:
            response.setdefault("Cache-Control", "no-store")
        return response
