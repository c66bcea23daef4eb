"""REST routes about signing in, sessions, wallets, people and contacts, with their serializers.

A door: it asks commands and answers. `messaging.api` and the specifications may import it; nothing below may.
"""
