"""`manage.py jobs`: the job worker, with slots of their own for each queue, so that none keeps another waiting."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from procrastinate.contrib.django import app

from accounts import mail
from messaging.media import processing_queue

SLOTS = {"default": 1, processing_queue.QUEUE: 2, mail.QUEUE: 4}
"""Each queue, and how many of its jobs run at the same time. Looking at media needs 2 GB for each."""


class Command(BaseCommand):
    """Run jobs until SIGTERM or SIGINT comes."""

    help = "Run the jobs of all queues, or of some; several such workers share the work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queues", nargs="*", metavar="queue", help=f"of {', '.join(SLOTS)}; all unless told")
        parser.add_argument("--shutdown-graceful-timeout", type=float, default=60, help="seconds; 60 unless told")

    def handle(self, *, queues: list[str], shutdown_graceful_timeout: float, **options: Any) -> None:
        if unknown := set(queues) - SLOTS.keys():
            raise CommandError(f"There is no queue {min(unknown)}.")
        with app.replace_connector(app.connector.get_worker_connector()):  # type: ignore[attr-defined] # Django's has it
            asyncio.run(_run(queues or list(SLOTS), shutdown_graceful_timeout))


async def _run(queues: list[str], grace: float) -> None:
    """Run a worker for each queue; end all of them when a signal comes, or when one ends by itself."""
    told = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    async with app.open_async():
        tasks = [asyncio.create_task(told.wait()), *(asyncio.create_task(_work(queue, grace)) for queue in queues)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not told.is_set():
        raise CommandError("A worker ended by itself; the log says why.")


async def _work(queue: str, grace: float) -> None:
    await app.run_worker_async(
        queues=[queue],
        name=queue,
        concurrency=SLOTS[queue],
        shutdown_graceful_timeout=grace,
        install_signal_handlers=False,
        # What mail says is kept no longer than it has to be.
        delete_jobs="successful" if queue == mail.QUEUE else "never",
    )
