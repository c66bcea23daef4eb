"""REST routes about signing in, sessions, wallets, people and contacts, with their serializers.

Its views call commands and return responses. `messaging.api` and the specifications may import it; no command may.
"""
