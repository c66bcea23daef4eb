"""What stands around every view: a name for each request, and the static files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware

from chatproject.core.client_address import client_address, is_trusted
from chatproject.core.ids import uuid7
from chatproject.core.logging import request_id
from chatproject.server.compression import (
    COMPRESSED_FROM,
    SECRET_PAGES,
    accepts_gzip,
    compressed_file,
    is_text,
    mark_compressed,
)
from chatproject.server.etags import matches

GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Give each request an id, or keep the one a proxy gave it, and say it in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if GIVEN.fullmatch(given) else str(uuid7())  # type: ignore[attr-defined]
        request_id.set(request.request_id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        request_id.set("")
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        if _is_personal(request):
            response.setdefault("Cache-Control", "no-store")
        return response


def _is_personal(request: HttpRequest) -> bool:
    """Tell whether an answer is for one person alone: for who is signed in, or who is about to be."""
    known = getattr(request, "user", None) is not None and request.user.is_authenticated
    return known or request.path.startswith(SECRET_PAGES)


class RealAddress:
    """Believe our own proxies, and nobody else, about who the client is and whether its connection is encrypted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR") or None
        if peer is None or not is_trusted(peer):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        request.META["REMOTE_ADDR"] = client_address(peer, request.headers.get("X-Forwarded-For", "")) or ""
        return self.get_response(request)


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise with answers that are read at once: an ASGI server would fetch a file's pieces from a thread each.

    Files of words are compressed when they are asked for first, and kept so.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        asked = dict(request.META)
        if matches(request.headers.get("If-None-Match", ""), static_file.etag):
            # WhiteNoise compares to the letter, and the validator of what is compressed is a weak one.
            asked["HTTP_IF_NONE_MATCH"] = static_file.etag
        found = static_file.get_response(request.method, asked)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        _, path, headers = static_file.alternatives[0]
        if is_text(dict(headers)["Content-Type"]):
            _compress_file(response, Path(path), request)
        return response


def _compress_file(response: HttpResponse, path: Path, request: HttpRequest) -> None:
    """Put a whole file's compressed bytes in the place of its own, for whoever takes it so."""
    patch_vary_headers(response, ["Accept-Encoding"])
    state = path.stat()
    is_worth_while = response.status_code == 200 and state.st_size >= COMPRESSED_FROM
    if is_worth_while and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        packed = compressed_file(path, state.st_mtime)
        response.content = b"" if request.method == "HEAD" else packed
        mark_compressed(response, len(packed))
