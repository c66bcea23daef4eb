"""Errors as problem documents (RFC 9457), the only form in which routes below /api/ answer an error."""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.response import Response

from chatproject.core.errors import Refused, Suspended
from chatproject.core.pagination import BadCursor
from chatproject.core.rate_limits import RateLimited

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
TITLES = {
    "invalid": "The request is not well formed",
    "not_authenticated": "Sign in first",
    "token_expired": "The token has expired",
    "bad_credentials": "Name and password do not match",
    "session_revoked": "The session has ended",
    "not_allowed": "Not allowed",
    "confirmation_required": "Confirm that it is you",
    "blocked": "Blocked",
    "suspended": "The account is suspended",
    "not_found": "Not found",
    "method_not_allowed": "This route does not take that method",
    "conflict": "Conflict",
    "id_conflict": "The id is taken",
    "gone": "Gone",
    "too_large": "Too large",
    "unsupported_media": "Send JSON",
    "unprocessable": "Can't be done",
    "rate_limited": "Too many requests",
    "unavailable": "Not available just now",
    "error": "Something went wrong",
}
CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media",
    429: "rate_limited",
}
MAX_ERRORS = 20
"""How many errors an answer lists, so that its size does not grow with the request."""


# Exceptions for which the type alone decides the answer.
PLAIN: tuple[tuple[tuple[type[Exception], ...], int, str, str], ...] = (
    ((Http404, ObjectDoesNotExist), 404, "not_found", "There is nothing here, or not for you."),
    ((PermissionDenied,), 403, "not_allowed", "This is not for you to do."),
    ((RateLimited,), 429, "rate_limited", "Too many requests. Please wait a little."),
    ((RequestDataTooBig,), 413, "too_large", "This request is too large."),
    (
        (OperationalError, InterfaceError, RedisError),
        503,
        "unavailable",
        "A part of the service is down. Please try again.",
    ),
)


def problem(error: Exception, context: dict[str, Any]) -> Response:
    """Turn an exception of a view into a problem document; DRF's exception handler."""
    request = context["request"]
    status, code, detail, errors = _explain(error)
    headers = dict(error.verdict.headers()) if isinstance(error, RateLimited) else {}
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if status == 503:
        headers["Retry-After"] = "1"
    return Response(document(request, status, code, detail, errors), status, None, headers, False, PROBLEM)


def document(request: Any, status: int, code: str, detail: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a problem document."""
    return {
        "type": f"urn:parley:problem:{code}",
        "title": TITLES[code],
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", None),
        "errors": errors,
    }


def problem_response(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Answer with a problem document outside of a DRF view."""
    body = orjson.dumps(document(request, status, code, detail, []))
    return HttpResponse(body, status=status, content_type=PROBLEM)


def _explain(error: Exception) -> tuple[int, str, str, list[dict[str, Any]]]:
    """Return the status, the code, the detail and the invalid fields of an exception."""
    match error:
        case Refused():
            return error.status, error.code, error.detail, error.errors()
        case BadCursor():
            return 400, "invalid", str(error), [{"pointer": "/cursor", "code": "invalid", "detail": str(error)}]
        case exceptions.ValidationError():
            errors = list(islice(_pointers(error.detail), MAX_ERRORS))
            return 400, "invalid", "Some of what was sent is not right.", errors
        case exceptions.APIException():
            codes = error.get_codes()
            code = codes if isinstance(codes, str) and codes in TITLES else CODES.get(error.status_code, "invalid")
            return error.status_code, code, str(error.detail), []
    for kinds, status, code, detail in PLAIN:
        if isinstance(error, kinds):
            return status, code, detail, []
    logger.error("a request failed", exc_info=error)
    return 500, "error", "Something went wrong on our side.", []


def _pointers(detail: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Flatten the errors of a serializer into one entry for each field."""
    if isinstance(detail, dict):
        for name, below in detail.items():
            yield from _pointers(below, path if name == "non_field_errors" else f"{path}/{name}")
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for index, below in enumerate(detail):
            yield from _pointers(below, f"{path}/{index}")
    else:
        for one in detail if isinstance(detail, list) else [detail]:
            yield {"pointer": path, "code": getattr(one, "code", "invalid"), "detail": str(one)}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that Django itself refuses as malformed: an unknown host, too many fields."""
    return _answer(request, 400, "invalid", "The server can't make sense of this request.", "400.html")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that this person may not make."""
    if isinstance(exception, Suspended):
        return _answer(request, 403, "suspended", exception.detail, "403_suspended.html")
    return _answer(request, 403, "not_allowed", "This is not for you to do.", "403.html")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request for a route that does not exist."""
    return _answer(request, 404, "not_found", "There is no such route.", "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after an error of ours, which is in the log."""
    return _answer(request, 500, "error", "Something went wrong on our side.", "500.html")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form or call without its CSRF token."""
    return _answer(request, 403, "not_allowed", "The CSRF token is missing or wrong.", "403_csrf.html")


def _answer(request: HttpRequest, status: int, code: str, detail: str, template: str) -> HttpResponse:
    """Answer with a problem document below /api/, otherwise with a page that needs no database."""
    if request.path.startswith("/api/"):
        return problem_response(request, status, code, detail)
    return HttpResponse(render_to_string(template, {"detail": detail, "request": request}), status=status)
