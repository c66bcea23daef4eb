"""Background jobs: periodic ones, and those that take too long for a request. Every job may be repeated."""

import logging
from contextlib import suppress
from uuid import UUID

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from accounts import mail
from chatproject.core.errors import Unavailable
from conversations.change_log.trimming import trim
from messaging import said
from messaging.media import cleanup, processing_queue
from messaging.media.processing import process_next
from messaging.retention import purge
from messaging.retention.partitions import drop_old_partitions, make_partitions

logger = logging.getLogger(__name__)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="partitions", pass_context=False)
def keep_partitions(timestamp: int) -> None:
    """Make the partitions ahead and drop those that are due, hourly; one that is in use is dropped by a later run."""
    for name in make_partitions():
        logger.info("made the partition %s", name)
    drop_old_partitions()


@app.task(pass_context=False)
def forget_conversation(conversation_id: str) -> None:
    """Delete the messages of a group that has just been deleted."""
    purge.forget_conversation(UUID(conversation_id))


@app.task(queue=processing_queue.QUEUE, pass_context=False)
def look_at_next() -> None:
    """Process the upload that is next in the queue; there is one such job for each upload that waits."""
    # If the storage or the virus scanner did not answer, the upload waits again, with a new job.
    with suppress(Unavailable):
        process_next()


@app.task(queue=mail.QUEUE, pass_context=False, retry=RetryStrategy(max_attempts=6, exponential_wait=4))
def deliver_mail(sealed: str) -> None:
    """Send a mail. If the mail server does not accept it, retry after 4 s, then ever later, for twenty minutes."""
    mail.deliver(sealed)


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="media", pass_context=False)
def clear_media(timestamp: int) -> None:
    """Resume uploads whose process has died, and delete unused media; every ten minutes."""
    processing_queue.add_missing_jobs()
    cleanup.delete_unused_media()


@app.periodic(cron="23 3 * * *")
@app.task(queueing_lock="orphans", pass_context=False)
def compare_storage(timestamp: int) -> None:
    """Delete stored objects that no row refers to; every night."""
    cleanup.delete_orphaned_objects()


@app.periodic(cron="41 * * * *")
@app.task(queueing_lock="leftovers", pass_context=False)
def clear_up(timestamp: int) -> None:
    """Do the work of lost jobs, then delete old departures, by which that work is found, old reports, and what the
    change log need not keep, should no follower run; hourly.
    """
    for id in purge.left_behind():
        purge.forget_conversation(id)
    purge.drop_old_departures()
    purge.forget_reports()
    trim()


@app.periodic(cron="*/20 * * * *")
@app.task(queueing_lock="last spoken", pass_context=False)
def correct_last_spoken(timestamp: int) -> None:
    """Set what servers of an earlier release leave out while they still run beside new ones; every twenty minutes."""
    said.correct_last_spoken()


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="stalled", pass_context=True)
async def resume_jobs(context: JobContext, timestamp: int) -> None:
    """Run jobs again whose worker died while it ran them; every five minutes."""
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs():
        if job.queueing_lock is None:
            await jobs.retry_job(job)
        else:
            # The next run of a periodic job may be in the queue already, and its lock allows only one.
            await jobs.finish_job(job, status=Status.ABORTED, delete_job=False)


@app.periodic(cron="53 * * * *")
@app.task(queueing_lock="old jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:
    """Delete jobs that ended more than a day ago, with whatever status; hourly."""
    await context.app.job_manager.delete_old_jobs(
        nb_hours=24, include_failed=True, include_cancelled=True, include_aborted=True
    )
