"""The generation of the database: a number that only a restore from a backup raises.

A restored backup turns versions back. Whoever compares versions of different generations takes new things for old ones,
so whatever remembers versions beside the database, as devices and hubs do, remembers their generation with them.
"""

import time

from django.db import connection

READ_GENERATION = "SELECT number FROM chatproject_generation"
# A backup that is restored twice brings the same number back twice, and devices must tell the two apart.
RAISE = """
UPDATE chatproject_generation SET number = greatest(number + 1, extract(epoch FROM clock_timestamp())::bigint)
RETURNING number
"""


def current_generation() -> int:
    """Read the generation from the database, as the transaction sees it."""
    return _number(READ_GENERATION)


def raise_generation() -> int:
    """Begin a new generation, and return its number. Only a restore calls this, when its data are in place."""
    return _number(RAISE)


def known_generation() -> int:
    """Return the generation without a query where this process watches it, then at most about a second late.

    Ask before reading what is to be compared with it later: then it is never newer than what was read.
    """
    return _watched.number if time.monotonic() < _watched.until else current_generation()


def remember_generation(number: int, *, seconds: float) -> None:
    """Let `known_generation` return a number for some seconds; whoever watches the database calls this."""
    _watched.number, _watched.until = number, time.monotonic() + seconds


class _Watched:
    """What the watch of this process has read, and until when it counts."""

    number = 0
    until = 0.0


_watched = _Watched()


def _number(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (number,) = cursor.fetchone()
    return int(number)
