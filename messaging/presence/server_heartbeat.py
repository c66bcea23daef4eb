"""How often a server process tells Redis that it is alive, and when it counts as dead."""

HEARTBEAT_SECONDS = 10.0
"""Seconds between two heartbeats."""
RETRY_SECONDS = 1.0
"""Seconds between two heartbeats while Redis does not answer."""
DEAD_AFTER = 30.0
"""Seconds without a heartbeat after which a server counts as gone."""
KEY_SECONDS = 45.0
"""Seconds from the last heartbeat of a server until its keys expire."""
