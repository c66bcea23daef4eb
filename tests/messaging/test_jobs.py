"""Jobs: those of a dead worker are run again, and those that ended are deleted."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.jobs import clear_media, deliver_mail, forget_jobs, resume_jobs
from messaging.management.unknown_jobs import RETRIES, leave_unknown_jobs

pytestmark = pytest.mark.usefixtures("committed")
ENDED = """
UPDATE procrastinate_jobs SET status = 'doing';
UPDATE procrastinate_jobs SET status = %s;
UPDATE procrastinate_events SET at = now() - make_interval(hours => %s)
"""


async def run(job: Callable[..., Awaitable[Any]]) -> None:
    """Run an asynchronous job as a worker does."""
    connector = app.connector.get_worker_connector()
    with app.replace_connector(connector):
        async with app.open_async():
            await job(SimpleNamespace(app=app), 0)


@sync_to_async
def change(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


@sync_to_async
def states() -> list[str]:
    return list(ProcrastinateJob.objects.values_list("status", flat=True))


@pytest.fixture
def job(committed: None) -> None:
    deliver_mail.defer(sealed="")


@pytest.mark.usefixtures("job")
async def test_a_job_of_a_dead_worker_is_run_again() -> None:
    await change("UPDATE procrastinate_jobs SET status = 'doing'")
    await run(resume_jobs)
    assert await states() == ["todo"]


async def test_a_periodic_job_of_a_dead_worker_is_not_run_again() -> None:
    await sync_to_async(clear_media.defer)(timestamp=0)
    await change("UPDATE procrastinate_jobs SET status = 'doing'")
    await sync_to_async(clear_media.defer)(timestamp=1)
    await run(resume_jobs)
    assert sorted(await states()) == ["aborted", "todo"]


@pytest.mark.usefixtures("job")
@pytest.mark.parametrize("status", ["succeeded", "failed"])
async def test_ended_jobs_are_kept_for_a_day(status: str) -> None:
    await change(ENDED, status, 23)
    await run(forget_jobs)
    assert await states() == [status]
    await change(ENDED.rpartition(";")[2], 25)
    await run(forget_jobs)
    assert await states() == []


# Workers of two releases


async def work() -> None:
    """Run the jobs that are due, as a worker does."""
    with app.replace_connector(app.connector.get_worker_connector()) as ours:
        before, _ = ours.tasks, leave_unknown_jobs(ours)
        try:
            async with ours.open_async():
                await ours.run_worker_async(
                    queues=["next"], wait=False, install_signal_handlers=False, listen_notify=False
                )
        finally:
            ours.tasks = before


UNKNOWN = "INSERT INTO procrastinate_jobs (task_name, queue_name, args) VALUES ('of.the.next.release', 'next', '{}')"


@sync_to_async
def of_the_next_release() -> Any:
    return ProcrastinateJob.objects.filter(queue_name="next").values_list("status", "scheduled_at", "attempts").get()


async def test_a_job_of_the_next_release_is_left_to_its_worker() -> None:
    await change(UNKNOWN)
    await work()
    status, at, attempts = await of_the_next_release()
    assert (status, attempts) == ("todo", 1)
    assert timedelta(seconds=30) < at - timezone.now() < timedelta(seconds=90)


async def test_a_job_whose_task_nobody_knows_fails_after_a_day() -> None:
    await change(UNKNOWN)
    await change("UPDATE procrastinate_jobs SET attempts = %s", RETRIES)
    await work()
    assert (await of_the_next_release())[0] == "failed"


def test_the_arguments_of_a_task_never_change() -> None:
    """A worker of the former release may get the job: with other arguments it needs another name."""
    ours = {name: task for name, task in app.tasks.items() if name.startswith("messaging.jobs.")}
    arguments = {name: [*signature(task.func).parameters] for name, task in ours.items()}
    assert {name.rpartition(".")[2]: names for name, names in arguments.items()} == {
        "keep_partitions": ["timestamp"],
        "forget_conversation": ["conversation_id"],
        "look_at_next": [],
        "deliver_mail": ["sealed"],
        "clear_media": ["timestamp"],
        "compare_storage": ["timestamp"],
        "clear_up": ["timestamp"],
        "correct_last_spoken": ["timestamp"],
        "resume_jobs": ["context", "timestamp"],
        "forget_jobs": ["context", "timestamp"],
    }
