"""No thread keeps a connection to the database while it waits for anything else; each wait is a real one."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Condition
from typing import Any
from uuid import UUID

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.mail import EmailMessage
from django.db import connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test import Client

from accounts import mail
from accounts.auth import password_change, passwords, registration, socket_tickets
from accounts.models import User
from accounts.wallets import nonces
from chatproject import health
from chatproject.core import cache, rate_limits, redis
from chatproject.core.database import without_connection
from chatproject.core.rate_limits import limiter, quotas
from chatproject.core.rate_limits.outage import Outage
from chatproject.core.realtime import publish
from messaging.media import processing, processing_queue, processing_slots
from messaging.media.storage import MediaStorage
from messaging.media.uploads import begin_upload, complete_upload
from messaging.media.virus_scan import finds_virus
from messaging.models import Attachment
from messaging.presence.events import AnnouncementFrame
from tests.messaging.media.conftest import put
from tests.support import samples
from tests.support.silent import Silent, silent

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("committed")]
Run = Callable[..., None]


def test_a_connection_is_returned_and_opened_again() -> None:
    assert not User.objects.exists()
    with without_connection():
        assert connection.connection is None
    assert not User.objects.exists()
    assert connection.connection is not None


def test_nobody_waits_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(TransactionManagementError), without_connection():
        pass


# Waits for servers that do not answer


@pytest.fixture
def server() -> Iterator[Silent]:
    with silent() as server:
        yield server


@pytest.fixture
def waits(server: Silent) -> Iterator[Run]:
    """Run a function that waits in a thread that has used the database; check whether it still has its connection."""
    with ThreadPoolExecutor(1) as thread:

        def run(wait: Callable[[], Any]) -> None:
            known: Future[Any] = thread.submit(with_a_connection)
            database = known.result()
            assert database.connection is not None
            running = thread.submit(wait)
            assert server.asked.wait(30)
            seen = database.connection, running.done()
            server.end()
            with suppress(Exception):
                running.result(60)
            assert seen == (None, False)

        yield run
        thread.submit(give_up_the_connection).result()


def with_a_connection() -> Any:
    User.objects.exists()
    return connections["default"]


def give_up_the_connection() -> None:
    connection.close()


STORAGE: dict[str, Callable[[MediaStorage, Path], Any]] = {
    "copy": lambda storage, _: storage.copy_object("a", "b", content_type="image/png"),
    "size_of": lambda storage, _: storage.object_size("a"),
    "head_of": lambda storage, _: storage.read_head("a", 10),
    "fetch": lambda storage, path: storage.download_file("a", path / "new"),
    "keep": lambda storage, path: storage.store_file(path / "file", "a", content_type="image/png"),
    "remove": lambda storage, _: storage.delete_objects(["a"]),
    "everything": lambda storage, _: list(storage.list_objects()),
}


@pytest.mark.parametrize("call", STORAGE)
def test_the_storage_is_waited_for_without_a_connection(
    call: str, waits: Run, server: Silent, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": f"http://127.0.0.1:{server.port}"}
    waits(lambda: STORAGE[call](MediaStorage(**options), tmp_path))


def test_the_scanner_is_waited_for_without_a_connection(
    waits: Run, server: Silent, settings: Any, tmp_path: Path
) -> None:
    settings.SCANNER_URL = f"tcp://127.0.0.1:{server.port}"
    (tmp_path / "file").write_bytes(b"x")
    waits(lambda: finds_virus(tmp_path / "file"))


def test_the_mail_server_is_waited_for_without_a_connection(waits: Run, server: Silent, settings: Any) -> None:
    settings.EMAIL_DELIVERY = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    sealed = mail.seal_message(EmailMessage("Hi", "Hello", "a@example.org", ["b@example.org"]))
    waits(lambda: mail.deliver(sealed))


REDIS: dict[str, Callable[[], Any]] = {
    "limits": lambda: rate_limits.consume([(quotas.CALLS, "alice")]),
    "charges": lambda: rate_limits.consume_unchecked([(quotas.CALLS, "alice")], cost=1),
    "nonces": nonces.issue_nonce,
    "tickets": lambda: socket_tickets.use_ticket("ticket"),
}


@pytest.mark.parametrize("call", REDIS)
def test_redis_is_waited_for_without_a_connection(
    call: str, waits: Run, server: Silent, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CHAT_LIMITS = True
    monkeypatch.setattr(Outage, "until", 0.0)
    client = redis.Client.from_url(f"redis://127.0.0.1:{server.port}", socket_timeout=60)
    for module in (limiter, nonces, socket_tickets):
        monkeypatch.setattr(module, "redis", lambda: client)
    waits(REDIS[call])


def test_the_cache_is_waited_for_without_a_connection(waits: Run, server: Silent) -> None:
    far: BaseCache = cache.Cache(f"redis://127.0.0.1:{server.port}", {"OPTIONS": {"socket_timeout": 60}})
    waits(lambda: far.get("key"))


def test_publishing_waits_without_a_connection(waits: Run, server: Silent, settings: Any) -> None:
    hosts = {"hosts": [{"address": f"redis://127.0.0.1:{server.port}"}]}
    settings.CHANNEL_LAYERS = {"default": {**settings.CHANNEL_LAYERS["default"], "CONFIG": hosts}}
    waits(lambda: publish([AnnouncementFrame.of("Hi")]))


def test_the_state_of_the_parts_is_waited_for_without_a_connection(
    waits: Run, server: Silent, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**settings.STORAGES["default"]["OPTIONS"], "endpoint_url": f"http://127.0.0.1:{server.port}"}
    monkeypatch.setattr(health, "_storage_with_timeouts", lambda: MediaStorage(**options))
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 60)
    waits(health.service_states)


def test_a_program_is_waited_for_without_a_connection(
    waits: Run, server: Silent, alice: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(
        "messaging.media.sanitizer.runner.PROGRAM", (sys.executable, "-c", f"open({str(pipe)!r}).read()")
    )
    upload = begin_upload(by=alice, filename="a.jpg", content_type="image/jpeg", size=len(samples.picture()))
    assert put(upload.form, samples.picture()).status_code == 204  # type: ignore[arg-type]

    def feed() -> None:
        """A program that reads waits until somebody writes, and until they end."""
        with pipe.open("wb"):
            server.asked.set()
            server.ended.wait()

    def look() -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(feed)
            complete_upload(by=alice, media_id=UUID(upload.media["id"]))

    waits(look)


# Waits for each other


class Watched(BoundedSemaphore):
    """Notes whether those who come to it have a connection."""

    def __init__(self) -> None:
        super().__init__(2)
        self.seen: list[bool] = []

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        self.seen.append(connection.connection is not None)
        return super().acquire(blocking, timeout)

    __enter__ = acquire


PASSWORDS: dict[str, Callable[[User], Any]] = {
    "a registration": lambda _: registration.register(username="erin", password="a secret nobody guesses"),
    "a sign-in": lambda user: passwords.check_password(username=user.username, password="x", address="127.0.0.1"),
    "a change": lambda user: password_change.set_password(user=user, password="a secret nobody guesses"),
    "a sign-in by the page": lambda user: Client().post("/accounts/login/", {"login": user.username, "password": "x"}),
}


@pytest.mark.parametrize("call", PASSWORDS)
def test_turns_at_hashing_are_waited_for_without_a_connection(
    call: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched()
    monkeypatch.setattr(passwords, "HASHING", watched)
    with_a_connection()
    PASSWORDS[call](alice)
    assert watched.seen == [False]


def test_slots_for_examining_are_waited_for_without_a_connection(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class WatchedCondition(Condition):
        def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
            seen.append(connection.connection is not None)
            return super().wait_for(predicate, timeout)

    monkeypatch.setattr(processing_slots, "Condition", WatchedCondition)
    monkeypatch.setattr(processing, "SLOTS", processing_slots.ProcessingSlots(2))
    upload = begin_upload(by=alice, filename="a.png", content_type="image/png", size=1)
    attachment = Attachment.objects.get(pk=upload.media["id"])
    assert processing_queue.enqueue(attachment, key="media/a")
    processing.process_soon(attachment)
    with_a_connection()
    processing.process_next()
    assert seen == [False, False]
