"""Emptying Redis after a test, but for what the servers that all tests share have registered there."""

from chatproject.redis import redis


def empty_redis() -> None:
    """Forget limits, tickets and what is cached."""
    kept = b"presence:"
    if keys := [key for key in redis().scan_iter(count=1000) if not key.startswith(kept)]:
        redis().delete(*keys)
