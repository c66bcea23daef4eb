"""Jobs: those of a dead worker are run again, and those that ended are deleted."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.jobs import clear_media, deliver_mail, forget_jobs, resume_jobs

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
