"""The foundation of every app: ids, errors, the database, Redis, caching, rate limits, encryption, events, logging.

It imports no app and no door; everything may import it.
"""
