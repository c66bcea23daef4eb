"""`manage.py jobs`: the job worker. Each queue has its own slots, so that no queue waits for another."""

import asyncio
import logging
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from accounts import mail
from chatproject.keys.reporter import reporting
from messaging.management.unknown_jobs import leave_unknown_jobs
from messaging.media import processing_queue

logger = logging.getLogger(__name__)

SLOTS = {"default": 1, processing_queue.QUEUE: 2, mail.QUEUE: 4}
"""How many jobs of each queue run at the same time. A job of the media queue needs up to 2 GB."""
PAUSE = 1.0
"""Seconds after which a worker that has lost the database begins again."""


class Command(BaseCommand):
    """Run jobs until SIGTERM or SIGINT."""

    help = "Run the jobs of all queues, or of some; several workers can run at the same time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queues", nargs="*", metavar="queue", help=f"of {', '.join(SLOTS)}; default: all")
        parser.add_argument("--shutdown-graceful-timeout", type=float, default=60, help="in seconds; default: 60")

    def handle(self, *, queues: list[str], shutdown_graceful_timeout: float, **options: Any) -> None:
        if unknown := set(queues) - SLOTS.keys():
            raise CommandError(f"There is no queue {min(unknown)}.")
        connector = app.connector.get_worker_connector()  # type: ignore[attr-defined] # Django's has it
        with reporting("jobs"), app.replace_connector(connector) as ours:
            leave_unknown_jobs(ours)
            asyncio.run(_run(queues or list(SLOTS), shutdown_graceful_timeout))


async def _run(queues: list[str], shutdown_timeout: float) -> None:
    """Run a worker for each queue until a signal comes, or one of them fails for another reason than the database."""
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    async with app.open_async():
        tasks = [
            asyncio.create_task(stopped.wait()),
            *(asyncio.create_task(_work(queue, shutdown_timeout, stopped)) for queue in queues),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not stopped.is_set():
        raise CommandError("A worker ended by itself; the log says why.")


async def _work(queue: str, shutdown_timeout: float, stopped: asyncio.Event) -> None:
    """Work on a queue; begin again whenever the database was lost, which ends a worker of procrastinate."""
    while not stopped.is_set():
        try:
            await _work_once(queue, shutdown_timeout)
        except ConnectorException as error:
            logger.warning("the database does not answer the worker of %s: %s", queue, type(error.__cause__).__name__)
        await asyncio.sleep(PAUSE)


async def _work_once(queue: str, shutdown_timeout: float) -> None:
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=SLOTS[queue],
        shutdown_graceful_timeout=shutdown_timeout,
        install_signal_handlers=False,
        # The content of mail is kept no longer than necessary.
        delete_jobs="successful" if queue == mail.QUEUE else "never",
    )
