"""Background tasks: nobody awaits them."""

import asyncio
import logging
from contextvars import Context
from typing import Any

logger = logging.getLogger(__name__)


class Background:
    """Tasks that outlive the socket which caused them, and so do not log under its name."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, coroutine: Any) -> asyncio.Task[Any]:
        """Start a task whose failure is logged."""
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(coroutine, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel all tasks that still run."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("a background task failed; reconciliation goes on", exc_info=error)
