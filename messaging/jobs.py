"""What happens without anyone asking."""

import logging

from procrastinate.contrib.django import app

from messaging.partitions import drop_old_partitions, make_partitions

logger = logging.getLogger(__name__)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="partitions", pass_context=False)
def keep_partitions(timestamp: int) -> None:
    """Make the weeks ahead and drop those past their time, every hour: what is in use now goes in a later one."""
    for name in make_partitions():
        logger.info("made the partition %s", name)
    drop_old_partitions()
