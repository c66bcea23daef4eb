"""Presence: the registry of connected sockets in Redis, its events, and the queries about all servers.

It knows no socket objects; `messaging.realtime` and the doors import it.
"""
