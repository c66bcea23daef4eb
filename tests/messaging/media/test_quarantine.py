"""Quarantine: files that the staff or a virus scanner withholds from everyone."""

import socketserver
import struct
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import pytest

from accounts.models import AuditEntry, User
from accounts.staff.audit_log import Staff
from chatproject.core.errors import Unavailable
from messaging.media.processing import process
from messaging.media.uploads import complete_upload, upload_state
from messaging.models import Attachment
from messaging.moderation.commands import quarantine, release
from tests.messaging.media.conftest import begin, download, forward, put, send, upload
from tests.support import samples

Phone = Callable[[User], httpx.Client]
VIRUS = b"X5O!P%@AP-as-good-as-a-virus"


class Scanner(socketserver.StreamRequestHandler):
    """Answers as clamd does."""

    def handle(self) -> None:
        assert self.rfile.read(10) == b"zINSTREAM\0"
        data = b""
        while size := struct.unpack(">I", self.rfile.read(4))[0]:
            data += self.rfile.read(size)
        self.wfile.write(b"stream: Eicar FOUND\0" if VIRUS in data else b"stream: OK\0")


@pytest.fixture
def scanner(settings: Any) -> Iterator[None]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Scanner) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings.SCANNER_URL = f"tcp://127.0.0.1:{server.server_address[1]}"
        yield
        server.shutdown()


def upload_here(app: httpx.Client, by: User, data: bytes, name: str, content_type: str) -> Any:
    """Upload a file, and complete it in this process, which has the settings of the test."""
    said = begin(app, data, name, content_type).json()["data"]
    put(said["upload"], data)
    return complete_upload(by=by, media_id=UUID(said["media"]["id"]))


def test_a_picture_in_quarantine_is_downloaded_from_no_conversation(
    phone: Phone, alice: User, bob: User, staff: User, conversation: Any, group: Any
) -> None:
    picture = upload(phone(alice), samples.picture())
    first = send(phone(alice), conversation, picture).json()["data"]
    second = forward(phone(bob), first, group).json()["data"]
    quarantine(by=Staff.of(staff), attachment_id=UUID(picture["id"]), reason="Not for anyone")
    for message in (first, second):
        shown = phone(bob).get(f"/messages/{message['id']}").json()["data"]
        (media,) = shown["media"]
        assert (media["state"], media["url"], media["thumbnail_url"]) == ("quarantined", None, None)
        assert shown["version"] > message["version"]
    for way in (picture["url"], second["media"][0]["url"]):
        assert phone(alice).get(way.removeprefix("/api/v1")).status_code == 404
    assert forward(phone(bob), first, group).status_code == 422
    release(by=Staff.of(staff), attachment_id=UUID(picture["id"]), reason="It was harmless")
    assert download(phone(bob), picture).status_code == 200
    actions = AuditEntry.objects.order_by("at").values_list("action", "target_id", "reason")
    assert list(actions) == [("quarantine", alice.pk, "Not for anyone"), ("release", alice.pk, "It was harmless")]


def test_a_file_that_the_scanner_flags_cannot_be_sent(
    phone: Phone, alice: User, conversation: Any, scanner: None
) -> None:
    fine = upload_here(phone(alice), alice, b"Hello", "a.txt", "text/plain")
    bad = upload_here(phone(alice), alice, VIRUS, "b.txt", "text/plain")
    assert (fine["state"], bad["state"], bad["reason"]) == ("ready", "quarantined", "This file seems to carry a virus.")
    assert send(phone(alice), conversation, bad).status_code == 422
    assert phone(alice).get(f"/media/{bad['id']}").status_code == 404
    assert send(phone(alice), conversation, fine).status_code == 201


def test_without_an_answer_of_the_scanner_no_upload_becomes_ready(phone: Phone, alice: User, settings: Any) -> None:
    settings.SCANNER_URL = "tcp://127.0.0.1:9"
    with pytest.raises(Unavailable):
        upload_here(phone(alice), alice, b"Hello", "a.txt", "text/plain")
    attachment = Attachment.objects.get()
    assert upload_state(by=alice, media_id=attachment.pk)["state"] == "processing"
    settings.SCANNER_URL = ""
    process(attachment.pk)
    assert upload_state(by=alice, media_id=attachment.pk)["state"] == "ready"
