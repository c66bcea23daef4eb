"""ETags (RFC 9110): a client that already has the current answer gets a 304."""

import hashlib
from typing import Any

import orjson
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.core.generation import known_generation

PRIVATE = "private, no-cache"
"""Only the client itself may cache the answer, and must revalidate it each time."""
CLOCK = "time"
"""A field of `GET /server` that differs each time, whatever else has changed."""


def add_etag(request: Request, response: Response) -> None:
    """Add an ETag to a successful answer; make it a 304 without a body if the client has it already."""
    if response.status_code != 200:
        return
    etag = etag_of(response.data["data"])
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = PRIVATE
    patch_vary_headers(response, ["Authorization", "Cookie"])
    if matches(request.headers.get("If-None-Match", ""), etag):
        response.status_code, response.data = 304, None


def etag_of(data: dict[str, Any]) -> str:
    """Return a weak validator of the data, without the time of the request.

    After a restore every answer is a new one: devices have emptied their stores, and a 304 would bring nothing back.
    """
    stable = {name: value for name, value in data.items() if name != CLOCK}
    content = orjson.dumps([known_generation(), stable], option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(content).hexdigest()
    return f'W/"{digest[:32]}"'


def matches(header: str, etag: str) -> bool:
    """Compare an ETag with If-None-Match: weakly, as RFC 9110 requires."""
    opaque = etag.removeprefix("W/")
    return any(each == "*" or each.removeprefix("W/") == opaque for each in parse_etags(header))
