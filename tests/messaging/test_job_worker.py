"""`manage.py jobs` as a process: it goes on when the database was lost."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from messaging.jobs import forget_conversation
from tests.support.backends import backends, end_backends
from tests.support.patience import wait_until
from tests.support.server import ROOT, environment

pytestmark = pytest.mark.usefixtures("committed")

WORKERS = "SELECT count(*) FROM procrastinate_workers"


@contextmanager
def working() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "manage.py", "jobs"], env=environment(), cwd=ROOT)
    try:
        wait_until(lambda: value(WORKERS) == 3, within=20)
        yield process
    finally:
        process.kill()
        process.wait()


def value(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (found,) = cursor.fetchone()
    return int(found)


def test_it_works_on_after_the_database_was_lost() -> None:
    before = backends()
    with working() as process:
        for _ in range(2):
            assert end_backends(but=before) > 0
            id = forget_conversation.defer(conversation_id=str(uuid4()))
            wait_until(lambda: ProcrastinateJob.objects.get(pk=id).status == "succeeded", within=30)  # noqa: B023
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
