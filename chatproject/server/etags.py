"""ETags (RFC 9110): who has seen an answer already is told that it is as it was."""

import hashlib
from typing import Any

import orjson
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

PRIVATE = "private, no-cache"
"""Only whoever asked keeps it, and asks each time whether it is still so."""
CLOCK = "time"
"""What the server's answer about itself says anew each time, whatever else has changed."""


def add_etag(request: Request, response: Response) -> None:
    """Name what a good answer says, and leave it out for a reader who knows that name."""
    if response.status_code != 200:
        return
    known = etag_of(response.data["data"])
    response.headers["ETag"] = known
    response.headers["Cache-Control"] = PRIVATE
    patch_vary_headers(response, ["Authorization", "Cookie"])
    if matches(request.headers.get("If-None-Match", ""), known):
        response.status_code, response.data = 304, None


def etag_of(data: dict[str, Any]) -> str:
    """Make a weak validator of what is said; the time of asking is no part of it."""
    said = {name: value for name, value in data.items() if name != CLOCK}
    digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return f'W/"{digest[:32]}"'


def matches(header: str, known: str) -> bool:
    """Compare weakly, as RFC 9110 asks of If-None-Match."""
    opaque = known.removeprefix("W/")
    return any(each == "*" or each.removeprefix("W/") == opaque for each in parse_etags(header))
