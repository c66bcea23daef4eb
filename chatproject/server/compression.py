"""Compression of responses, except those that contain secrets.

An attacker who can insert text into a response and observe its compressed length can guess the rest of it letter by
letter, even through TLS (BREACH). Therefore responses with secrets are not compressed; the CSRF token, which every page
contains, is masked differently in each response; and up to a hundred random bytes blur the length of all others.
"""

import gzip
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

P = ParamSpec("P")
Response = TypeVar("Response", bound=HttpResponseBase)
Request = TypeVar("Request")

COMPRESSED_FROM = 1024
"""Bytes; a shorter response fits into a packet or two anyway."""
BLUR = 100
SECRET = "holds_secret"  # noqa: S105 (a name)
SECRET_PAGES = ("/accounts/",)
"""Pages of allauth that contain secrets: keys in links, recovery codes, the secret of an authenticator app."""
KINDS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/problem+json",
        "application/yaml",
        "image/svg+xml",
        "text/css",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
FILES_KEPT = 512


def holds_secret(view: Callable[Concatenate[Request, P], Response]) -> Callable[Concatenate[Request, P], Response]:
    """Exclude the responses of a view from compression: they hold a token, a key, or a link that signs someone in."""

    @wraps(view)
    def respond(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        response = view(request, *args, **kwargs)
        setattr(response, SECRET, True)
        return response

    return respond


class Compression:
    """Compress with gzip if the client accepts it. It runs in the thread of the request, never on the event loop."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and may_be_compressed(request, response):
            patch_vary_headers(response, ["Accept-Encoding"])
            if accepts_gzip(request.headers.get("Accept-Encoding", "")):
                compress(response)
        return response


def may_be_compressed(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether a response is complete, long enough, textual, not compressed yet, and without secrets."""
    is_secret = getattr(response, SECRET, False) or request.path.startswith(SECRET_PAGES)
    is_whole = response.status_code not in {204, 206, 304} and not response.has_header("Content-Encoding")
    is_long = len(response.content) >= COMPRESSED_FROM
    return is_whole and is_long and not is_secret and is_text(response.headers.get("Content-Type", ""))


def is_text(kind: str) -> bool:
    """Tell whether a Content-Type is textual, so that compression is worthwhile."""
    return kind.partition(";")[0].strip() in KINDS


def accepts_gzip(header: str) -> bool:
    """Read Accept-Encoding (RFC 9110): whether gzip is listed, and not with a weight of 0."""
    for each in header.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() in {"gzip", "x-gzip"}:
            return weight.replace(" ", "").removeprefix("q=").rstrip("0.") != "" if weight else True
    return False


def compress(response: HttpResponse) -> None:
    """Compress a response and blur its length; its ETag becomes a weak one, because the bytes differ."""
    response.content = compress_string(response.content, max_random_bytes=BLUR)
    mark_compressed(response, len(response.content))


def mark_compressed(response: HttpResponse, length: int) -> None:
    """Set the headers of a response that is compressed to `length` bytes."""
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(length)
    if (tag := response.headers.get("ETag", "")).startswith('"'):
        response.headers["ETag"] = f"W/{tag}"


@lru_cache(maxsize=FILES_KEPT)
def compressed_file(path: Path, changed: float) -> bytes:
    """Compress a static file, once for each process and time of change. All files together take 1.5 MB."""
    return gzip.compress(path.read_bytes(), mtime=0)
