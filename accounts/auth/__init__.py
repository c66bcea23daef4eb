"""Authentication: passwords, second factors, confirmations, tokens, tickets and sessions.

The API, pages and sockets of all apps may import it; it imports people and wallets, but no conversation.
"""
