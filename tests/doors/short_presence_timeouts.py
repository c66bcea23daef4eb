"""The application as it is, but with a registry whose servers are gone after two seconds without a beat."""

from chatproject.asgi import application
from messaging.presence import queries, registry
from messaging.realtime import presence_watchers

__all__ = ["application"]

DEAD_AFTER = 2.0
registry.BEAT_EVERY, registry.KEPT = 0.5, 3.0
registry.DEAD_AFTER = queries.DEAD_AFTER = DEAD_AFTER
# So that nothing but what is tried tells that someone has gone.
presence_watchers.LOOK_EVERY = 3600.0
