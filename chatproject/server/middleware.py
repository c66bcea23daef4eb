"""Middleware around every view: request ids, client addresses and static files."""

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

ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """Give each request an id, or keep the one that a proxy has given, and return it in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if ACCEPTED_ID.fullmatch(given) else str(uuid7())  # type: ignore[attr-defined]
        request_id.set(request.request_id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        request_id.set("")
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        if _is_personal(request):
            response.setdefault("Cache-Control", "no-store")
        return response


def _is_personal(request: HttpRequest) -> bool:
    """Tell whether an answer is for one person alone: signed in, or about to sign in."""
    known = getattr(request, "user", None) is not None and request.user.is_authenticated
    return known or request.path.startswith(SECRET_PAGES)


class RealAddress:
    """Trust only our own proxies about the client's address and whether its connection is encrypted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR") or None
        if peer is None or not is_trusted(peer):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        request.META["REMOTE_ADDR"] = client_address(peer, request.headers.get("X-Forwarded-For", "")) or ""
        return self.get_response(request)


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise that reads a file at once: under ASGI, each chunk of a streamed file would need a thread.

    Textual files are compressed at the first request, and cached.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        meta = dict(request.META)
        if matches(request.headers.get("If-None-Match", ""), static_file.etag):
            # WhiteNoise compares the header literally, but a compressed file has a weak ETag.
            meta["HTTP_IF_NONE_MATCH"] = static_file.etag
        found = static_file.get_response(request.method, meta)
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
    """Replace the content of a whole file by its compressed bytes, if the client accepts them."""
    patch_vary_headers(response, ["Accept-Encoding"])
    state = path.stat()
    is_worthwhile = response.status_code == 200 and state.st_size >= COMPRESSED_FROM
    if is_worthwhile and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        compressed = compressed_file(path, state.st_mtime)
        response.content = b"" if request.method == "HEAD" else compressed
        mark_compressed(response, len(compressed))
