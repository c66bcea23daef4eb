"""What happens without anyone asking."""

import logging

from procrastinate.contrib.django import app

from messaging.partitions import make_partitions

logger = logging.getLogger(__name__)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="partitions", pass_context=False)
def keep_partitions(timestamp: int) -> None:
    """Make the weeks ahead, every night."""
    for name in make_partitions():
        logger.info("made the partition %s", name)
