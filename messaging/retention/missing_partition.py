"""What to do where an insert finds no partition for its week: make the missing partitions, then try again.

`prepare` and an hourly job make the partitions ahead of time; this is for a server whose jobs have not run for weeks.
"""

import logging

import psycopg
from django.db import IntegrityError

from chatproject.core.database import in_thread
from messaging.retention.partitions import make_partitions

logger = logging.getLogger(__name__)


def is_missing_partition(error: BaseException) -> bool:
    """Tell whether an insert failed because there is no partition for its row; Django's error or psycopg's."""
    cause = error.__cause__ if isinstance(error, IntegrityError) else error
    return isinstance(cause, psycopg.errors.CheckViolation)


def make_missing_partitions() -> None:
    """Make the partitions that are missing; the caller tries its insert again."""
    logger.critical("there is no partition for a row; making the missing partitions now")
    make_partitions()


async def make_missing_partitions_soon() -> None:
    """Make the partitions that are missing, from asynchronous code; a failure is logged."""
    try:
        await in_thread(make_missing_partitions)()
    except Exception as error:
        logger.critical("the missing partitions could not be made: %s", type(error).__name__)
