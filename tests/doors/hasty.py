"""The application as it is, but with a registry whose servers are gone after two seconds without a beat."""

from chatproject.asgi import application
from messaging import registry, watching, whereabouts

__all__ = ["application"]

DEAD_AFTER = 2.0
registry.BEAT_EVERY, registry.KEPT = 0.5, 3.0
registry.DEAD_AFTER = whereabouts.DEAD_AFTER = DEAD_AFTER
# So that nothing but what is tried tells that someone has gone.
watching.LOOK_EVERY = 3600.0
