"""The application with a presence registry that considers a server dead two seconds after its last heartbeat."""

from chatproject.asgi import application
from messaging.presence import queries
from messaging.presence import socket_registry as registry
from messaging.realtime import presence_watchers
from tests.support.constants import override_constants

__all__ = ["application"]

DEAD_AFTER = 2.0
override_constants(registry, HEARTBEAT_SECONDS=0.5, KEY_SECONDS=3.0, DEAD_AFTER=DEAD_AFTER)
override_constants(queries, DEAD_AFTER=DEAD_AFTER)
# The periodic query must not report what the tests expect from the events.
override_constants(presence_watchers, QUERY_EVERY=3600.0)
