"""Parsing and rendering of JSON by orjson."""

from collections.abc import Iterable
from typing import Any

import orjson
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer


class JSONRenderer(BaseRenderer):
    """Render JSON by orjson; problem documents set a media type of their own."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class JSONParser(BaseParser):
    """Parse a JSON object by orjson, which refuses unpaired surrogates."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, context: Any = None) -> dict[str, Any]:
        try:
            data = orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise exceptions.ParseError(f"This is no JSON: {error}") from error
        if not isinstance(data, dict):
            raise exceptions.ParseError("Send one JSON object.")
        return data


class JSONOnly(DefaultContentNegotiation):
    """Answer with JSON whatever `Accept` says, as RFC 9110 (12.1) allows: there is no other format."""

    def select_renderer(
        self, request: Any, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
