"""`manage.py documents`: write down what the routes are, as `docs/openapi.yaml`."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

FILE = Path("docs/openapi.yaml")


class Command(BaseCommand):
    help = "Write docs/openapi.yaml."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        (settings.BASE_DIR / FILE).write_bytes(openapi())


def openapi() -> bytes:
    """Write the routes down as YAML; LookupError if one is not described, or drf-spectacular has doubts."""
    reset_generator_stats()
    generator: Any = SchemaGenerator
    renderer: Any = OpenApiYamlRenderer()
    written: bytes = renderer.render(generator().get_schema(request=None, public=True), renderer_context={})
    if GENERATOR_STATS:
        GENERATOR_STATS.emit_summary()
        raise LookupError("drf-spectacular has doubts, see above")
    return written
