"""What every app stands on: ids, errors, the database, Redis, caching, rate limits, encryption, events, logging.

It imports no app and no door; everything may import it.
"""
