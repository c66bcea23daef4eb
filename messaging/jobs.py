"""What happens without anyone asking, and what takes too long to wait for."""

import logging
from contextlib import suppress
from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from accounts import mail
from chatproject.core.errors import Unavailable
from messaging.media import cleanup, processing_queue
from messaging.media.processing import process_next
from messaging.retention import purge
from messaging.retention.partitions import drop_old_partitions, make_partitions

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
    purge.forget_conversation(UUID(conversation_id))


@app.task(queue=processing_queue.QUEUE, pass_context=False)
def look_at_next() -> None:
    """Look at the upload whose turn it is; each that waits has made one such job."""
    # What the storage or the scanner did not answer for waits for its turn again, with a job of its own.
    with suppress(Unavailable):
        process_next()


@app.task(queue=mail.QUEUE, pass_context=False, retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def deliver_mail(sealed: str) -> None:
    """Send a mail; where the mail server does not take it, again after 4 s and ever longer, for twenty minutes."""
    mail.deliver(sealed)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="media", pass_context=False)
def clear_media(timestamp: int) -> None:
    """Resume uploads whose process has died, and remove what nobody will get any more; every ten minutes."""
    processing_queue.add_missing_jobs()
    cleanup.delete_unused_media()


@app.periodic(cron="23 3 * * *")
@app.task(queueing_lock="orphans", pass_context=False)
def compare_storage(timestamp: int) -> None:
    """Remove objects that no row knows; every night."""
    cleanup.delete_orphaned_objects()


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="leftovers", pass_context=False)
def clear_up(timestamp: int) -> None:
    """Do what a lost job has left undone, then forget old departures, by which it is found, and old copies; hourly."""
    for id in purge.left_behind():
        purge.forget_conversation(id)
    purge.drop_old_departures()
    purge.forget_reports()


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="stalled", pass_context=True)
async def resume_jobs(context: JobContext, timestamp: int) -> None:
    """Do again what a worker had begun when it died; every five minutes. Every job may be done again."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs():
        if job.queueing_lock is None:
            await jobs.retry_job(job)
        else:
            # A periodic one comes by itself, and may be there already, where two can't wait.
            await jobs.finish_job(job, status=Status.ABORTED, delete_job=False)


@app.periodic(cron="53 * * * *")
@app.task(queueing_lock="old jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:
    """Remove jobs that ended a day ago, however they did; hourly."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=24, include_failed=True, include_cancelled=True, include_aborted=True
    )
