"""REST routes that answer with conversations, messages, receipts, media, reports and presence.

A door: it calls commands and queries. Nothing but the site map and the specifications may import it.
"""
