"""Mail to a mail server: left to a job, encrypted until it is sent, and sent once what it is about is committed."""

import os
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import mail
from accounts.models import User
from messaging.jobs import deliver_mail
from tests.accounts.visitor import Visitor

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Post(socketserver.StreamRequestHandler):
    """Takes mail as a mail server does (RFC 5321)."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.taken.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")


@pytest.fixture
def post() -> Iterator[Any]:
    """A mail server, and what it has taken."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post) as server:
        server.taken = []  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def queued(settings: Any, post: Any) -> None:
    """Mail goes as it does where EMAIL_URL names a mail server."""
    settings.EMAIL_BACKEND, settings.EMAIL_DELIVERY = "accounts.mail.Backend", SMTP
    settings.EMAIL_HOST, settings.EMAIL_PORT = post.server_address


def jobs() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=deliver_mail.name))


@pytest.mark.usefixtures("committed", "queued")
def test_a_forgotten_password_is_answered_by_a_job_that_keeps_nothing_readable(dora: User, post: Any) -> None:
    Visitor().submit("/accounts/password/reset/", email=dora.email)
    (job,) = jobs()
    assert (job.queue_name, post.taken) == ("mail", [])
    assert dora.email not in str(job.args)
    assert "password" not in str(job.args)
    deliver_mail(**job.args)
    (taken,) = post.taken
    assert f"To: {dora.email}" in taken
    assert "/accounts/password/reset/key/" in taken


@pytest.mark.usefixtures("committed", "queued")
def test_what_is_not_committed_sends_no_mail() -> None:
    with transaction.atomic():
        EmailMultiAlternatives("Hi", "Hello", "a@example.org", ["b@example.org"]).send()
        transaction.set_rollback(True)
    assert jobs() == []


@pytest.mark.usefixtures("queued")
def test_a_mail_comes_as_it_was_written() -> None:
    written = EmailMultiAlternatives(
        "Grüße", "Hello", "a@example.org", ["b@example.org"], cc=["c@example.org"], headers={"X-Kind": "code"}
    )
    written.attach_alternative("<p>Hello</p>", "text/html")
    opened = mail.open_message(mail.seal_message(written))
    for name in (*mail.FIELDS, "extra_headers", "alternatives", "content_subtype"):
        assert getattr(opened, name) == getattr(written, name)


def test_a_server_with_a_mail_server_uses_the_job() -> None:
    ask = "from chatproject.settings import EMAIL_BACKEND as a, EMAIL_DELIVERY as b; print(a, b)"
    for url, backends in (
        ("smtps://me:secret@mail.example:465", f"accounts.mail.Backend {SMTP}"),
        ("dummymail:", "django.core.mail.backends.dummy.EmailBackend " * 2),
    ):
        known = {**os.environ, "EMAIL_URL": url}
        said = subprocess.run([sys.executable, "-c", ask], env=known, capture_output=True, text=True, check=True).stdout
        assert said.split() == backends.split()
