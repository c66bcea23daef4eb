"""Jobs of another release: a worker that does not know their task leaves them to one that does."""

import logging
from typing import Any

from procrastinate import App
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.tasks import Task

logger = logging.getLogger(__name__)

RETRY_MINUTES = 1
RETRIES = 24 * 60
"""After a day nobody will know the task any more: the job fails."""


class UnknownTask(Exception):
    """A job has a task that this release does not have."""


class LeaveToAnother(BaseRetryStrategy):
    """Put a job back into the queue for a minute, for about a day."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision(retry_in={"minutes": RETRY_MINUTES}) if job.attempts < RETRIES else None


class Tasks(dict[str, "Task[Any, Any, Any]"]):
    """The tasks of an app by name, with one for every unknown name, whose job is put back."""

    def __init__(self, app: App) -> None:
        super().__init__(app.tasks)
        self._app = app
        self._logged: set[str] = set()

    def get(self, name: str, default: Any = None) -> "Task[Any, Any, Any]":
        return super().get(name) or self._unknown(name)

    def _unknown(self, name: str) -> "Task[Any, Any, Any]":
        if name not in self._logged:
            self._logged.add(name)
            logger.warning("the task %s is unknown to this release; its jobs are left to another worker", name)

        def refuse(**arguments: Any) -> None:
            raise UnknownTask(name)

        return Task(refuse, blueprint=self._app, name=name, queue="default", retry=LeaveToAnother())


def leave_unknown_jobs(app: App) -> None:
    """Let an app's workers put back jobs of unknown tasks, which procrastinate would call failed."""
    app.tasks = Tasks(app)
