"""Answers are compressed on their way, but for those that hold secrets.

Whoever can put words of their own into an answer and sees how long it is, encrypted or not, can guess what else it says
letter by letter (BREACH). So nothing that holds a secret is compressed; CSRF tokens, which every page holds, are masked
anew in each answer; and the length of all others is blurred by up to a hundred random bytes.
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
Answer = TypeVar("Answer", bound=HttpResponseBase)
Request = TypeVar("Request")

COMPRESSED_FROM = 1024
"""Bytes below which an answer fits into a packet or two anyway."""
BLUR = 100
SECRET = "holds_secret"  # noqa: S105 (a name)
SECRET_PAGES = ("/accounts/",)
"""Pages that others wrote: keys in links, recovery codes, the secret of an authenticator app."""
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


def holds_secret(view: Callable[Concatenate[Request, P], Answer]) -> Callable[Concatenate[Request, P], Answer]:
    """Have a view's answers go uncompressed: they hold a token, a key, or a link that lets someone in."""

    @wraps(view)
    def answer(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        response = view(request, *args, **kwargs)
        setattr(response, SECRET, True)
        return response

    return answer


class Compression:
    """Compress with gzip what a client takes so. It runs in the thread of its request, never on the event loop."""

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
    """Tell whether an answer is long, of words, not compressed yet, and holds no secret."""
    is_secret = getattr(response, SECRET, False) or request.path.startswith(SECRET_PAGES)
    is_whole = response.status_code not in {204, 206, 304} and not response.has_header("Content-Encoding")
    is_long = len(response.content) >= COMPRESSED_FROM
    return is_whole and is_long and not is_secret and is_text(response.headers.get("Content-Type", ""))


def is_text(kind: str) -> bool:
    """Tell whether it is worth while to compress what has this Content-Type."""
    return kind.partition(";")[0].strip() in KINDS


def accepts_gzip(header: str) -> bool:
    """Read Accept-Encoding (RFC 9110): whether gzip is named and not refused by a weight of 0."""
    for each in header.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() in {"gzip", "x-gzip"}:
            return weight.replace(" ", "").removeprefix("q=").rstrip("0.") != "" if weight else True
    return False


def compress(response: HttpResponse) -> None:
    """Compress an answer, its length blurred; its validator becomes a weak one, for the bytes are others."""
    response.content = compress_string(response.content, max_random_bytes=BLUR)
    mark_compressed(response, len(response.content))


def mark_compressed(response: HttpResponse, length: int) -> None:
    """Say that an answer is compressed to so many bytes."""
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(length)
    if (tag := response.headers.get("ETag", "")).startswith('"'):
        response.headers["ETag"] = f"W/{tag}"


@lru_cache(maxsize=FILES_KEPT)
def compressed_file(path: Path, changed: float) -> bytes:
    """Compress a static file as it is since a moment, once for each process. All there are take 1.5 MB so."""
    return gzip.compress(path.read_bytes(), mtime=0)
