"""Who is online: the registry in Redis, its events, and what may be asked of it.

It holds no socket; `messaging.realtime` and the doors import it.
"""
