"""The generation of the database: a number that only a restore from a backup raises.

A restored backup turns versions back. Whoever compares versions of different generations takes new things for old ones,
so whatever remembers versions beside the database, as devices and hubs do, remembers their generation with them.
"""

from django.db import connection

READ = "SELECT number FROM chatproject_generation"
# A backup that is restored twice brings the same number back twice, and devices must tell the two apart.
RAISE = """
UPDATE chatproject_generation SET number = greatest(number + 1, extract(epoch FROM clock_timestamp())::bigint)
RETURNING number
"""


def current_generation() -> int:
    """Read the generation from the database, as the transaction sees it."""
    return _number(READ)


def raise_generation() -> int:
    """Begin a new generation, and return its number. Only a restore calls this, when its data are in place."""
    return _number(RAISE)


def _number(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (number,) = cursor.fetchone()
    return int(number)
