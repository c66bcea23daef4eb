"""`manage.py documents`: write down what the routes and the frames are, as `docs/openapi.yaml` and `asyncapi.yaml`."""

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
    """Write the routes down; LookupError if one is not described, or drf-spectacular has doubts."""
    reset_generator_stats()
    generator: Any = SchemaGenerator
    renderer: Any = OpenApiYamlRenderer()
    written: bytes = renderer.render(generator().get_schema(request=None, public=True), renderer_context={})
    if GENERATOR_STATS:
        GENERATOR_STATS.emit_summary()
        raise LookupError("drf-spectacular has doubts, see above")
    return written


def asyncapi_yaml() -> bytes:
    """Write the frames down."""
    return yaml.dump(_unshared(asyncapi()), sort_keys=False, allow_unicode=True, width=120).encode()


def _unshared(words: Any) -> Any:
    """Copy what stands in several places, so that YAML writes no aliases."""
    if isinstance(words, dict):
        return {name: _unshared(value) for name, value in words.items()}
    return [_unshared(each) for each in words] if isinstance(words, list | tuple) else words


DOCUMENTS: dict[str, Callable[[], bytes]] = {"openapi.yaml": openapi_yaml, "asyncapi.yaml": asyncapi_yaml}
