"""The hub of one server process: subscriptions, delivery to local sockets, reconciliation, presence, typing.

`messaging.socket` and the lifespan may import it; commands never do, they publish events.
"""
