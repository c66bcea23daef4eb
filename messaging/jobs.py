"""What happens without anyone asking, and what takes too long to wait for."""

import logging
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from messaging import clearing, retention
from messaging.partitions import drop_old_partitions, make_partitions
from messaging.taking import take

logger = logging.getLogger(__name__)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="partitions", pass_context=False)
def keep_partitions(timestamp: int) -> None:
    """Make the weeks ahead and drop those past their time, every hour: what is in use now goes in a later one."""
    for name in make_partitions():
        logger.info("made the partition %s", name)
    drop_old_partitions()


@app.task(pass_context=False)
def forget_conversation(conversation_id: str) -> None:
    """Remove what was said in a group that has just been deleted."""
    retention.forget_conversation(UUID(conversation_id))


@app.task(pass_context=False, retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def take_upload(media_id: str) -> None:
    """Look at an upload that is too large to be looked at while someone waits."""
    take(UUID(media_id))


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="media", pass_context=False)
def clear_media(timestamp: int) -> None:
    """Look at what nobody looks at any more, and remove what nobody will get any more; every ten minutes."""
    clearing.take_up_again()
    clearing.forget_media()


@app.periodic(cron="23 3 * * *")
@app.task(queueing_lock="orphans", pass_context=False)
def compare_storage(timestamp: int) -> None:
    """Remove objects that no row knows; every night."""
    clearing.remove_orphans()


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="leftovers", pass_context=False)
def clear_up(timestamp: int) -> None:
    """Do what a lost job has left undone, then forget old departures, by which it is found, and old copies; hourly."""
    for id in retention.left_behind():
        retention.forget_conversation(id)
    retention.drop_old_departures()
    retention.forget_reports()
