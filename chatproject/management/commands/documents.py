"""`manage.py documents`: generate `docs/openapi.yaml` and `docs/asyncapi.yaml` from the code."""

from collections.abc import Callable
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from chatproject.specs.asyncapi import asyncapi


class Command(BaseCommand):
    help = "Write docs/openapi.yaml and docs/asyncapi.yaml."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for name, write in DOCUMENTS.items():
            (settings.BASE_DIR / "docs" / name).write_bytes(write())


def openapi_yaml() -> bytes:
    """Return the OpenAPI document; LookupError if a route is not described, or drf-spectacular warns."""
    reset_generator_stats()
    generator: Any = SchemaGenerator
    renderer: Any = OpenApiYamlRenderer()
    document: bytes = renderer.render(generator().get_schema(request=None, public=True), renderer_context={})
    if GENERATOR_STATS:
        GENERATOR_STATS.emit_summary()
        raise LookupError("drf-spectacular has warnings, see above")
    return document


def asyncapi_yaml() -> bytes:
    """Return the AsyncAPI document."""
    return yaml.dump(_without_aliases(asyncapi()), sort_keys=False, allow_unicode=True, width=120).encode()


def _without_aliases(value: Any) -> Any:
    """Copy what occurs in several places, so that YAML writes no aliases."""
    if isinstance(value, dict):
        return {name: _without_aliases(each) for name, each in value.items()}
    return [_without_aliases(each) for each in value] if isinstance(value, list | tuple) else value


DOCUMENTS: dict[str, Callable[[], bytes]] = {"openapi.yaml": openapi_yaml, "asyncapi.yaml": asyncapi_yaml}
