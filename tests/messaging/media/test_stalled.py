"""All uploads of one person stall at once on a real server: requests of everybody else are answered as usual."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from accounts.models import User
from conversations.models import Conversation
from messaging.media import processing_queue
from messaging.models import Attachment
from tests.messaging.media.conftest import begin, put
from tests.support import samples
from tests.support.server import ROOT, Server, environment, running
from tests.support.silent import Silent, silent

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("committed")]
MANY = 18
"""More than there are connections to the database in a process."""


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    """The storage, behind a proxy that can stop answering."""
    with silent(before=urlsplit(os.environ["S3_ENDPOINT_URL"]).port) as before:
        before.answer()
        monkeypatch.setenv("S3_ENDPOINT_URL", f"http://127.0.0.1:{before.port}")
        yield before


@pytest.fixture
def far(storage: Silent) -> Iterator[Server]:
    """A server that reaches its storage through that proxy."""
    with running() as server:
        yield server


def app_of(user: User, server: Server, access: Callable[[User], str]) -> httpx.Client:
    known = {"Authorization": f"Bearer {access(user)}"}
    return httpx.Client(base_url=f"{server.url}/api/v1", headers=known, timeout=100)


def test_while_the_storage_stalls_one_persons_uploads_others_are_answered(
    far: Server, storage: Silent, alice: User, bob: User, conversation: Conversation, access: Callable[[User], str]
) -> None:
    with ExitStack() as opened:
        mine, theirs = (opened.enter_context(app_of(user, far, access)) for user in (alice, bob))
        offers = [begin(mine, b"Hello", "a.txt", "text/plain").json()["data"] for _ in range(MANY)]
        assert {put(offer["upload"], b"Hello").status_code for offer in offers} == {204}
        storage.fall_silent()
        with ThreadPoolExecutor(MANY) as pool:
            waiting = [pool.submit(mine.post, f"/media/{offer['media']['id']}/complete") for offer in offers]
            assert storage.asked.wait(30)
            answers = [theirs.get("/conversations").status_code for _ in range(2 * MANY)]
            still = sum(not each.done() for each in waiting)
            storage.answer()
        assert (set(answers), still) == ({200}, MANY)
        assert {each.result().json()["data"]["state"] for each in waiting} == {"ready"}


@pytest.fixture
def worker() -> Iterator[Any]:
    process = subprocess.Popen([sys.executable, "manage.py", "jobs"], env=environment(), cwd=ROOT)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()


def test_the_worker_examines_waiting_uploads_and_ends_on_a_signal(
    worker: Any, phone: Callable[[User], httpx.Client], alice: User
) -> None:
    data = samples.picture()
    said = begin(phone(alice), data, "a.jpg", "image/jpeg").json()["data"]
    put(said["upload"], data)
    attachment = Attachment.objects.get()
    assert processing_queue.enqueue(attachment, key="media/a")
    processing_queue.defer_to_job(attachment)
    deadline = time.monotonic() + 60
    while Attachment.objects.get().state == "processing" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert Attachment.objects.get().state == "ready"
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
