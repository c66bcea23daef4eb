"""The application with a registry whose servers report often, and count as dead soon."""

from chatproject.asgi import application
from chatproject.keys import registry, reporter
from tests.support.constants import override_constants

__all__ = ["application"]

override_constants(registry, DEAD_AFTER=2.0, LONGEST_GAP=1.0, WATCHED_FOR=2.0)
override_constants(reporter, REPORT_EVERY=0.2, RETRY_EVERY=0.1)
